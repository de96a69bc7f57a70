// The page of the model: takes a sound, asks the model, shows what it says. Nothing is sent away.

import { loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";
import { answer, inWords } from "./answer.js";
import { decode, RATE, spectrogram, wav } from "./sound.js";

const MAX_BYTES = 10 * 2 ** 20, MAX_SECONDS = 60;
const here = (path) => new URL(path, import.meta.url).href;
const byId = (name) => document.getElementById(`try-${name}`);
const player = byId("player"), canvas = byId("picture");
let shown = null, busy = false;

function say(title, reason, colour = "") {
  const head = byId("verdict").querySelector("b");
  head.textContent = title;
  head.className = title.length > 12 ? "long" : "";
  byId("verdict").querySelector("small").textContent = reason;
  byId("verdict").style.setProperty("--mine", colour || "var(--pst-color-border)");
}

const card = await (await fetch(here("../model/card.json"))).json();
const model = loadLiteRt(here("../litert/wasm/"), { threads: false, jspi: false })
  .then(() => loadAndCompile(here("../model/model.tflite"), { accelerator: "wasm" }));
model.then(
  () => busy || shown || say(card.question, "Nothing leaves this page."),
  (error) => say("The model could not be loaded", String(error.message ?? error)),
);

async function run(samples) {
  const network = await model, tensor = new Tensor(samples, [1, samples.length]);
  const [result] = await network.run(tensor);
  const shares = Float32Array.from(result.toTypedArray());
  tensor.delete(), result.delete();
  return shares;
}

async function known(buffer) {  // whether the model was trained on this very file
  if (!card.files || !globalThis.crypto?.subtle) return false;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", buffer));
  return card.files.includes([...digest].map((b) => b.toString(16).padStart(2, "0")).join(""));
}

async function hear(blob, name) {
  if (busy) return;
  busy = true;
  try {
    say("Listening ...", name);
    if (blob.size > MAX_BYTES) {
      throw new Error(`${(blob.size / 2 ** 20).toFixed(1)} MB; give a file of up to ${MAX_BYTES >> 20} MB`);
    }
    const buffer = await blob.arrayBuffer();
    if (!buffer.byteLength) throw new Error("empty, it holds no bytes");
    const { samples, rate } = await decode(buffer).catch(() => {
      throw new Error("this browser cannot decode it; try WAV, FLAC, OGG or MP3");
    });
    if (!samples.length) throw new Error("empty, it holds no samples");
    const seconds = samples.length / rate;
    if (seconds > MAX_SECONDS) {
      throw new Error(`${seconds.toFixed(0)} s long; cut it to ${MAX_SECONDS} s or less`);
    }
    await new Promise((done) => setTimeout(done));  // "Listening" is painted before the work begins
    show(await answer(samples, rate, run, card), name, await known(buffer));
  } catch (error) {
    shown = null;
    byId("answer").hidden = true;
    say("No answer", `${name}: ${error.message ?? error}`);
  } finally {
    busy = false;
  }
}

function show(found, name, trained) {
  const title = inWords(found, card), plain = title.toLowerCase() === found.label;
  const note = trained ? " The model was trained on this very file: its answer proves nothing." : "";
  const reason = found.reason ?? `heard in ${found.seconds.toFixed(1)} s of sound`;
  say(title, `${reason}.${note} (${name})`, plain ? card.colours[found.label] : "");
  byId("shares").replaceChildren(...Object.entries(found.probabilities).map(([label, share]) => {
    const row = document.createElement("div");
    row.setAttribute("role", "listitem");
    row.innerHTML = "<span></span><span class='bar'><i></i></span><output></output>";
    row.querySelector("span").textContent = label;
    row.querySelector("i").style.cssText = `width: ${100 * share}%; background: ${card.colours[label]}`;
    row.querySelector("output").textContent = `${(100 * share).toFixed(1)} %`;
    return row;
  }));
  if (player.src) URL.revokeObjectURL(player.src);
  player.src = URL.createObjectURL(wav(found.waveform));
  const { waveform, ...data } = found;
  data.timeline = found.timeline.map(({ start, end, shares, weight }) => (
    { start, end, ...Object.fromEntries(card.names.map((n, k) => [n, shares[k]])), weight }));
  byId("data").textContent = JSON.stringify(data, null, 1);
  canvas.setAttribute("aria-label", `${title}: ` + Object.entries(found.probabilities)
    .map(([label, share]) => `${label} ${(100 * share).toFixed(0)} %`).join(", ")
    + ". Waveform, spectrogram, probabilities over time.");
  shown = { ...found, levels: spectrogram(waveform), still: null };
  byId("answer").hidden = false;
  draw();
}

// ---- the picture: three plots on one time axis, and where the player is

const LEFT = 58, TOP = 8, PLOTS = [[TOP, 80], [TOP + 100, 130], [TOP + 250, 110]], HEIGHT = 408;

function called(one) {
  const names = card.names.map((name, k) => [name, one.shares[k], k]);
  const other = card.other === null ? null : names[card.other];
  if (other && other[1] >= card.other_from) return other[0];
  return names.filter(([, , k]) => k !== card.other).reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}

function draw() {
  if (!shown) return;
  const style = getComputedStyle(document.documentElement);
  const text = style.getPropertyValue("--pst-color-text-base").trim() || "#222";
  const soft = style.getPropertyValue("--pst-color-border").trim() || "#ccc";
  const dark = document.documentElement.dataset.theme === "dark";
  const width = canvas.clientWidth, ratio = window.devicePixelRatio || 1;
  const right = 12, wide = width - LEFT - right;
  canvas.width = width * ratio, canvas.height = HEIGHT * ratio;
  canvas.style.height = `${HEIGHT}px`;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.font = `12px ${style.getPropertyValue("--pst-font-family-base") || "sans-serif"}`;
  const { waveform, levels, timeline, seconds } = shown, x = (t) => LEFT + wide * t / seconds;
  const shade = (name) => (dark ? `color-mix(in srgb, ${card.colours[name]} 75%, white)` : card.colours[name]);

  // a column a pixel, from the least to the greatest sample, in the colour of the nearest window
  const [y0, h0] = PLOTS[0], peak = waveform.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-9);
  const loud = Math.max(...timeline.map((one) => one.level));
  const heard = timeline.filter((one) => one.level > 0 && one.level >= loud / 20);
  for (let i = 0; i < wide; i++) {
    const from = Math.floor(i / wide * waveform.length);
    const to = Math.max(from + 1, Math.floor((i + 1) / wide * waveform.length));
    let low = Infinity, high = -Infinity;
    for (let n = from; n < to; n++) low = Math.min(low, waveform[n]), high = Math.max(high, waveform[n]);
    const t = i / wide * seconds, gap = (one) => Math.abs((one.start + one.end) / 2 - t);
    const near = heard.length ? heard.reduce((a, b) => (gap(b) < gap(a) ? b : a)) : null;
    pen.fillStyle = near ? shade(called(near)) : text;
    const top = y0 + h0 / 2 * (1 - high / peak);
    pen.fillRect(LEFT + i, top, 1, Math.max(1, h0 / 2 * (high - low) / peak));
  }

  const [y1, h1] = PLOTS[1], still = new OffscreenCanvas(levels.length, 256), ink = still.getContext("2d");
  const image = ink.createImageData(levels.length, 256);
  levels.forEach((row, f) => row.forEach((level, k) => {
    const at = card.magma[Math.max(0, Math.min(255, Math.round((level + 70) / 70 * 255)))];
    const p = 4 * ((255 - k) * levels.length + f);
    for (let c = 0; c < 3; c++) image.data[p + c] = parseInt(at.slice(1 + 2 * c, 3 + 2 * c), 16);
    image.data[p + 3] = 255;
  }));
  ink.putImageData(image, 0, 0);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(still, LEFT, y1, wide, h1);

  const [y2, h2] = PLOTS[2], y = (p) => y2 + h2 * (1 - p);
  const most = Math.max(...timeline.map((one) => one.weight), 1e-30);
  const loudWindows = timeline.filter((one) => one.level >= loud / 50);
  card.names.forEach((name, k) => {
    pen.strokeStyle = pen.fillStyle = shade(name);
    pen.lineWidth = 1.5;
    pen.beginPath();
    loudWindows.forEach((one) => pen.lineTo(x((one.start + one.end) / 2), y(one.shares[k])));
    pen.stroke();
    for (const one of loudWindows) {
      pen.beginPath();
      pen.arc(x((one.start + one.end) / 2), y(one.shares[k]), 2 + 4 * Math.sqrt(one.weight / most), 0, 7);
      pen.fill();
    }
  });

  pen.fillStyle = text, pen.strokeStyle = soft, pen.lineWidth = 1;
  for (const [top, high] of PLOTS) pen.strokeRect(LEFT + 0.5, top + 0.5, wide - 1, high);
  pen.textAlign = "right", pen.textBaseline = "middle";
  for (const kilo of [0, 2, 4, 6]) pen.fillText(kilo, LEFT - 6, y1 + h1 * (1 - kilo / 8));
  for (const p of [0, 0.5, 1]) pen.fillText(p, LEFT - 6, y(p));
  pen.textAlign = "center", pen.textBaseline = "top";
  const step = [0.2, 0.5, 1, 2, 5, 10, 20].find((s) => wide / (seconds / s) >= 45) ?? 30;
  for (let t = 0; t <= seconds + 1e-9; t += step) pen.fillText(+t.toFixed(1), x(t), y2 + h2 + 6);
  pen.fillText("time (s)", LEFT + wide / 2, y2 + h2 + 22);
  [["amplitude", 0], ["frequency (kHz)", 1], ["probability", 2]].forEach(([label, k]) => {
    pen.save();
    pen.translate(8, PLOTS[k][0] + PLOTS[k][1] / 2);
    pen.rotate(-Math.PI / 2);
    pen.fillText(label, 0, 0);
    pen.restore();
  });
  shown.still = pen.getImageData(0, 0, canvas.width, canvas.height);
  mark();
}

function mark() {
  if (!shown?.still) return;
  const pen = canvas.getContext("2d"), ratio = window.devicePixelRatio || 1;
  pen.putImageData(shown.still, 0, 0);
  if (player.paused && !player.currentTime) return;
  const wide = canvas.clientWidth - LEFT - 12;
  pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--pst-color-primary");
  const at = LEFT + wide * player.currentTime / shown.seconds;
  for (const [top, high] of PLOTS) pen.fillRect(at, top, 2, high);
  if (!player.paused) requestAnimationFrame(mark);
}

canvas.addEventListener("click", (event) => {
  const wide = canvas.clientWidth - LEFT - 12;
  const share = (event.offsetX - LEFT) / wide;
  if (!shown || share < 0 || share > 1) return;
  player.currentTime = share * shown.seconds;
  player.play();
});
for (const event of ["play", "pause", "seeked", "timeupdate"]) player.addEventListener(event, mark);
window.addEventListener("resize", draw);
new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });

// ---- where sounds come from

byId("file").addEventListener("change", (event) => {
  const [file] = event.target.files;
  if (file) hear(file, file.name);
  event.target.value = "";  // the same file may be chosen again
});
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  byId("drop").addEventListener(kind, (event) => {
    event.preventDefault();
    byId("drop").classList.toggle("over", kind === "dragenter" || kind === "dragover");
    const [file] = (kind === "drop" && event.dataTransfer.files) || [];
    if (file) hear(file, file.name);
  });
}
for (const name of card.examples) {
  const button = document.createElement("button");
  button.type = "button", button.className = "btn btn-outline-secondary", button.textContent = name;
  button.addEventListener("click", async () => {
    hear(await (await fetch(here(`../model/${name}.wav`))).blob(), `example: ${name}`);
  });
  byId("examples").append(button);
}

let recorder = null;
byId("record").addEventListener("click", async () => {
  if (recorder) return recorder.stop();
  try {
    const asIs = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const stream = await navigator.mediaDevices.getUserMedia({ audio: asIs });
    const pieces = [];
    recorder = new MediaRecorder(stream);
    recorder.ondataavailable = (event) => pieces.push(event.data);
    recorder.onstop = () => {
      clearTimeout(limit);
      stream.getTracks().forEach((track) => track.stop());
      recorder = null;
      byId("record").textContent = "Record";
      byId("record").classList.remove("on");
      hear(new Blob(pieces), "your recording");
    };
    const limit = setTimeout(() => recorder?.stop(), 1000 * (MAX_SECONDS - 1));
    recorder.start();
    byId("record").textContent = "Stop";
    byId("record").classList.add("on");
    say("Recording ...", "Press Stop when it has been heard.");
  } catch (error) {
    recorder = null;
    say("No answer", `no microphone: ${error.message ?? error}`);
  }
});
document.getElementById("try").dataset.ready = "true";
