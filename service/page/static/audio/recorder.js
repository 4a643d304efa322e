// Records the microphone with MediaRecorder, and measures level and speech meanwhile.

import { PLAIN } from "./microphone.js";

const TYPES = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
const EVERY_MS = 50;
const QUIET_DBFS = -38;
const CLIPPED = 0.99;
const ABOVE_NOISE_DB = 9;
const CAUTION = 0.8; // the service finds somewhat less speech: the ring is not to promise too much

/** Whether this page may record: browsers allow it on https and on localhost only. */
export const canRecord = () => Boolean(navigator.mediaDevices?.getUserMedia && window.MediaRecorder);

/**
 * Starts to record. `onLevel({ dbfs, peak, seconds, speech_s, hint })` is called twenty times a second.
 * The speech is an estimate by loudness; the service finds it properly. `stop()` answers the file.
 */
export async function record(onLevel) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: PLAIN });
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 4096 });
  context.createMediaStreamSource(stream).connect(analyser);
  const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  const recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: 64000 });
  const chunks = [];
  recorder.ondataavailable = (event) => chunks.push(event.data);
  recorder.start();

  const started = performance.now();
  const frame = new Float32Array(analyser.fftSize);
  let before = started;
  let noise = 0;
  let loudest = -100;
  let speech_s = 0;
  let clipped = false;
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(frame);
    let sum = 0;
    let peak = 0;
    for (const value of frame) {
      sum += value * value;
      peak = Math.max(peak, Math.abs(value));
    }
    const dbfs = 10 * Math.log10(sum / frame.length + 1e-10);
    const now = performance.now();
    noise = Math.min(dbfs, noise + 0.05); // follows a falling level at once, a rising one slowly
    loudest = Math.max(dbfs, loudest - 0.05);
    if (dbfs > noise + ABOVE_NOISE_DB && dbfs > -60) speech_s += (CAUTION * (now - before)) / 1000;
    before = now;
    clipped ||= peak >= CLIPPED;
    const seconds = (now - started) / 1000;
    const hint = clipped ? "clipped" : seconds > 1.5 && loudest < QUIET_DBFS ? "quiet" : null;
    onLevel({ dbfs, peak, seconds, speech_s, hint });
  }, EVERY_MS);

  return async function stop() {
    clearInterval(timer);
    const ended = new Promise((resolve) => (recorder.onstop = resolve));
    recorder.stop();
    await ended;
    for (const track of stream.getTracks()) track.stop();
    await context.close();
    const type = recorder.mimeType.split(";")[0];
    const time = new Date().toTimeString().slice(0, 8).replaceAll(":", "");
    return new File(chunks, `recording-${time}.${type.split("/")[1]}`, { type });
  };
}
