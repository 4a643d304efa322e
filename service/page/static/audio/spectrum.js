// The spectrogram of a recording: the darker, the louder.

const SIZE = 512;
const FLOOR_DB = -70;

/** Draws |STFT| (Hann, 512 samples) up to half the rate, low frequencies at the bottom, in the ink of each second. */
export function drawSpectrogram(canvas, { samples, seconds }, ink) {
  const width = Math.max(1, Math.min(canvas.clientWidth || 600, 1200));
  const height = SIZE / 4; // two bins a row
  canvas.width = width;
  canvas.height = height;
  const window_ = Float32Array.from({ length: SIZE }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / SIZE));
  const levels = new Float32Array(width * height);
  const re = new Float32Array(SIZE);
  const im = new Float32Array(SIZE);
  let top = 1e-9;
  for (let x = 0; x < width; x++) {
    const start = Math.round((x / width) * Math.max(0, samples.length - SIZE));
    for (let i = 0; i < SIZE; i++) re[i] = (samples[start + i] ?? 0) * window_[i];
    im.fill(0);
    fft(re, im);
    for (let y = 0; y < height; y++) {
      const power = Math.max(re[2 * y] ** 2 + im[2 * y] ** 2, re[2 * y + 1] ** 2 + im[2 * y + 1] ** 2);
      levels[x * height + y] = power;
      top = Math.max(top, power);
    }
  }
  const picture = new ImageData(width, height);
  for (let x = 0; x < width; x++) {
    const rgb = ink(((x + 0.5) / width) * seconds);
    for (let y = 0; y < height; y++) {
      const db = 10 * Math.log10(levels[x * height + y] / top + 1e-12);
      const at = 4 * ((height - 1 - y) * width + x);
      picture.data.set([...rgb, 255 * Math.max(0, 1 - db / FLOOR_DB) ** 1.6], at);
    }
  }
  canvas.getContext("2d").putImageData(picture, 0, 0);
}

/** In place, radix 2. */
function fft(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  for (let length = 2; length <= n; length <<= 1) {
    const half = length >> 1;
    for (let k = 0; k < half; k++) {
      const angle = (-2 * Math.PI * k) / length;
      const c = Math.cos(angle);
      const s = Math.sin(angle);
      for (let i = k; i < n; i += length) {
        const j = i + half;
        const x = re[j] * c - im[j] * s;
        const y = re[j] * s + im[j] * c;
        re[j] = re[i] - x;
        im[j] = im[i] - y;
        re[i] += x;
        im[i] += y;
      }
    }
  }
}
