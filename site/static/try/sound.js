// From a file to a waveform at 16 kHz, as helpers/audio.py does it: decode, mix down, resample.

export const RATE = 16000;

/** What stands in a file's own header as its sample rate (Hz); null where it says none. */
export function rateOf(buffer) {
  const view = new DataView(buffer), bytes = new Uint8Array(buffer);
  const word = (at) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 32) return null;
  if (word(0) === "RIFF") {
    for (let at = 12; at + 16 < bytes.length;) {
      if (word(at) === "fmt ") return view.getUint32(at + 12, true);
      at += 8 + view.getUint32(at + 4, true);
    }
    return null;
  }
  let start = 0;
  if (word(0).startsWith("ID3")) {  // a tag before an MP3 or a FLAC file: its size in 7-bit bytes
    start = 10 + [6, 7, 8, 9].reduce((sum, at) => sum * 128 + (bytes[at] & 127), 0);
    if (start + 32 > bytes.length) return null;
  }
  if (word(start) === "fLaC") {
    return (bytes[start + 18] << 12) | (bytes[start + 19] << 4) | (bytes[start + 20] >> 4);
  }
  if (word(0) === "OggS") {
    const page = 27 + bytes[26];
    if (word(page + 1) === "vorb") return view.getUint32(page + 12, true);
    return word(page) === "Opus" ? 48000 : null;
  }
  const end = Math.min(bytes.length - 3, start + 65536);
  for (let at = start; at < end; at++) {
    const version = (bytes[at + 1] >> 3) & 3, index = (bytes[at + 2] >> 2) & 3;
    const frame = bytes[at] === 255 && (bytes[at + 1] & 0xe0) === 0xe0 && version !== 1;
    if (frame && ((bytes[at + 1] >> 1) & 3) === 1 && index < 3 && bytes[at + 2] >> 4 < 15) {
      return [44100, 48000, 32000][index] / { 3: 1, 2: 2, 0: 4 }[version];
    }
  }
  return null;
}

/** Decode at the file's own rate, channels averaged: {samples: Float32Array, rate: Hz}. */
export async function decode(buffer) {
  const own = rateOf(buffer) ?? 48000;
  let context;
  try {
    context = new OfflineAudioContext(1, 1, own);
  } catch {  // a rate that this browser does not take: it resamples by itself
    context = new OfflineAudioContext(1, 1, 48000);
  }
  const sound = await context.decodeAudioData(buffer.slice(0));
  const samples = new Float32Array(sound.length);
  for (let channel = 0; channel < sound.numberOfChannels; channel++) {
    const data = sound.getChannelData(channel);
    for (let i = 0; i < samples.length; i++) samples[i] += data[i] / sound.numberOfChannels;
  }
  for (let i = 0; i < samples.length; i++) if (!Number.isFinite(samples[i])) samples[i] = 0;
  return { samples, rate: sound.sampleRate };
}

const gcd = (a, b) => (b ? gcd(b, a % b) : a);

function bessel(x) {  // modified, of the first kind and order 0: Kaiser's window is made of it
  let sum = 1, term = 1;
  for (let k = 1; term > 1e-12 * sum; k++) sum += (term *= (x / (2 * k)) ** 2);
  return sum;
}

const PASS = 0.913, BETA = 12.3;  // soxr's high quality: passed up to there, 120 dB away from 1 on

/**
 * Change the sample rate by a windowed sinc: what lies above half the new rate is filtered away.
 * Rates that are whole numbers of Hz; soxr rounds the number of samples as this does.
 */
export function resample(samples, from, to = RATE) {
  if (from === to) return samples;
  const common = gcd(Math.round(from), Math.round(to));
  const up = Math.round(to) / common, down = Math.round(from) / common;
  const scale = Math.min(1, up / down);  // of the lower rate's Nyquist frequency to the old one's
  const cut = scale * (PASS + 1) / 2;
  const half = Math.ceil((120 - 8) / (2.285 * Math.PI * (1 - PASS) * scale) / 2);
  const scaled = bessel(BETA), phases = new Map();
  const taps = (phase) => {
    if (!phases.has(phase)) {
      const made = new Float32Array(2 * half);
      for (let k = 0; k < 2 * half; k++) {
        const t = k - half + 1 - phase / up;
        const edge = 1 - (t / half) ** 2;
        const sinc = t === 0 ? cut : Math.sin(Math.PI * cut * t) / (Math.PI * t);
        made[k] = edge <= 0 ? 0 : sinc * bessel(BETA * Math.sqrt(edge)) / scaled;
      }
      phases.set(phase, made);
    }
    return phases.get(phase);
  };
  const result = new Float32Array(Math.round(samples.length * up / down));
  for (let n = 0; n < result.length; n++) {
    const position = n * down, at = Math.floor(position / up);
    const weights = taps(position % up), first = at - half + 1;
    const end = Math.min(2 * half, samples.length - first);
    let sum = 0;
    for (let k = Math.max(0, -first); k < end; k++) sum += weights[k] * samples[first + k];
    result[n] = sum;
  }
  return result;
}

/** A 16-bit WAV file of a waveform at 16 kHz, for the player. */
export function wav(samples) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const write = (at, text) => [...text].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  write(0, "RIFF"), write(8, "WAVEfmt "), write(36, "data");
  view.setUint32(4, 36 + 2 * samples.length, true);
  view.setUint32(16, 16, true), view.setUint16(20, 1, true), view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true), view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true), view.setUint16(34, 16, true);
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((x, i) => view.setInt16(44 + 2 * i, 32767 * Math.max(-1, Math.min(1, x)), true));
  return new Blob([view], { type: "audio/wav" });
}

/** dB of a short-time Fourier transform (512, hop 256, Hann) below its loudest bin, a row a frame. */
export function spectrogram(samples) {
  const size = 512, hop = 256, bins = size / 2;
  const hann = Float32Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos(2 * Math.PI * i / size));
  const frames = Math.max(1, 1 + Math.floor((samples.length - size) / hop)), rows = [];
  let loudest = 1e-12;
  for (let f = 0; f < frames; f++) {
    const re = new Float64Array(size), im = new Float64Array(size), row = new Float32Array(bins);
    for (let i = 0; i < size; i++) re[i] = (samples[f * hop + i] ?? 0) * hann[i];
    fft(re, im);
    for (let k = 0; k < bins; k++) row[k] = re[k] ** 2 + im[k] ** 2;
    for (const power of row) if (power > loudest) loudest = power;
    rows.push(row);
  }
  return rows.map((row) => row.map((power) => 10 * Math.log10(power / loudest + 1e-9)));
}

function fft(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) [re[i], re[j]] = [re[j], re[i]];
  }
  for (let length = 2; length <= n; length <<= 1) {
    for (let k = 0; k < length / 2; k++) {
      const c = Math.cos(-2 * Math.PI * k / length), s = Math.sin(-2 * Math.PI * k / length);
      for (let a = k; a < n; a += length) {
        const b = a + length / 2, x = re[b] * c - im[b] * s, y = re[b] * s + im[b] * c;
        re[b] = re[a] - x, im[b] = im[a] - y, re[a] += x, im[a] += y;
      }
    }
  }
}
