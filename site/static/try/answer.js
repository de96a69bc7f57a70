// From a waveform to an answer: helpers/predict.py and the words of helpers/demo/answers.py, again.

import { RATE, resample } from "./sound.js";

const LENGTH = 24000;  // samples: 1.5 s, what the model is fed at a time
const MOST_ODDS = 20;  // as in helpers/audio.py

/**
 * Answer for one clip, as Classifier.predict does.
 * samples, rate: the clip, one channel, at its own rate.
 * run: LENGTH samples to a promise of one probability a class.
 * card: what the model's JSON file says.
 */
export async function answer(samples, rate, run, card) {
  const seconds = samples.length / rate;
  let low = Infinity, high = -Infinity;
  for (const x of samples) low = Math.min(low, x), high = Math.max(high, x);
  const peak = (high - low) / 2, loudest = Math.max(1, high, -low);
  let waveform = resample(loudest > 1 ? samples.map((x) => x / loudest) : samples, rate);
  if (!waveform.length) waveform = new Float32Array(1);

  const hop = Math.round(card.window_hop_seconds * RATE), timeline = [];
  for (let from = 0; from < waveform.length; from += hop) {
    const window = new Float32Array(LENGTH);
    window.set(waveform.subarray(from, from + LENGTH));
    const shares = Array.from(await run(window));
    const level = Math.sqrt(window.reduce((sum, x) => sum + x * x, 0) / LENGTH);
    const start = from / RATE;
    timeline.push({ start, end: Math.min(start + card.window_seconds, seconds), shares, level });
  }
  const logits = timeline.map((one) => one.shares.map((p) => card.temperature * Math.log(Math.max(p, 1e-30))));
  const weights = windowWeights(logits, timeline.map((one) => one.level), card.other);
  timeline.forEach((one, i) => (one.weight = weights[i]));
  const mean = card.names.map((_, k) => logits.reduce((sum, one, i) => sum + weights[i] * one[k], 0));
  const most = Math.max(...mean);
  const raised = mean.map((x) => Math.exp((x - most) / card.temperature));
  const total = raised.reduce((a, b) => a + b, 0);
  const probabilities = Object.fromEntries(card.names.map((name, k) => [name, raised[k] / total]));
  const [label, reason] = verdict(peak, seconds, probabilities, card);
  return { label, reason, probabilities, timeline, seconds, waveform };
}

/** audio.window_weights: a window's level; with a class for anything else, times the odds against it. */
export function windowWeights(logits, level, other) {
  if (other !== null) {
    const odds = logits.map((one) => {
      const rest = one.filter((_, k) => k !== other), most = Math.max(...rest);
      return most + Math.log(rest.reduce((sum, x) => sum + Math.exp(x - most), 0)) - one[other];
    });
    level = level.map((x, i) => x * Math.min(Math.max(Math.exp(odds[i]), 1 / MOST_ODDS), MOST_ODDS));
  }
  const total = Math.max(level.reduce((a, b) => a + b, 0), 1e-30);
  return level.map((x) => x / total);
}

function verdict(peak, seconds, probabilities, card) {
  const other = card.other === null ? null : card.names[card.other];
  const best = (names) => names.reduce((a, b) => (probabilities[b] > probabilities[a] ? b : a));
  if (peak < 10 ** (card.silence_dbfs / 20)) {
    return [other ?? "unsure", "silence: nothing in it is loud enough to be heard"];
  }
  if (seconds < card.min_seconds) {
    return ["unsure", `too short: ${seconds.toFixed(3)} s, less than the ${card.min_seconds} s asked for`];
  }
  if (other !== null && probabilities[other] >= card.other_from) {
    const limit = `${other} from ${(100 * card.other_from).toFixed(0)} % on, lest other sounds be let in`;
    return [other, best(card.names) === other ? null : limit];
  }
  const known = card.names.filter((name) => name !== other);
  const found = best(known), sum = known.reduce((a, name) => a + probabilities[name], 0);
  const share = probabilities[found] / Math.max(sum, 1e-30);  // among the classes that are known
  if (share < card.unsure_below) {
    const where = known.length === 2 ? "near the middle" : "no class stands out";
    return ["unsure", `${where}: ${share.toFixed(3)}, less than the ${card.unsure_below} asked for`];
  }
  return [found, null];
}

const SURE = 0.7, IN_A_ROW = 2, MOST_PARTS = 3;
const capital = (text) => text[0].toUpperCase() + text.slice(1);

/** The verdict in words: "Dog", or, where a clip holds several, "Cat, then dog from 2.9 s". */
export function inWords({ label, timeline }, card) {
  const known = card.names.filter((_, k) => k !== card.other);
  if (![...known, "unsure"].includes(label)) return capital(label);
  const loudest = Math.max(...timeline.map((one) => one.level));
  const turns = [];
  for (const one of timeline.filter((it) => it.level > 0 && it.level >= loudest / 20)) {
    const mine = card.names.map((name, k) => [name, one.shares[k]]).filter(([name]) => known.includes(name));
    const [name, share] = mine.reduce((a, b) => (b[1] > a[1] ? b : a));
    const sum = Math.max(mine.reduce((a, b) => a + b[1], 0), 1e-9);
    if (share / sum < SURE) continue;
    if (card.other !== null && one.shares[card.other] >= card.other_from) continue;
    const middle = (one.start + one.end) / 2;
    if (turns.at(-1)?.name === name) turns.at(-1).count += 1;
    else turns.push({ name, middle, count: 1 });
  }
  const parts = turns.filter((turn) => turn.count >= IN_A_ROW)  // one window alone may be a slip
    .filter((turn, i, all) => !i || turn.name !== all[i - 1].name);
  if (parts.length < 2) return capital(label);
  const said = parts.map((part, i) => (i ? `then ${part.name} from ${part.middle.toFixed(1)} s` : part.name));
  return capital(said.slice(0, MOST_PARTS).join(", ")) + (said.length > MOST_PARTS ? " ..." : "");
}
