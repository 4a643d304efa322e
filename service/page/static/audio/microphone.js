// The microphone as a stream of samples, and as a setting that both ways of recording share.

/** What a browser does to a voice in a call, to make it clearer, makes it another voice. */
export const PLAIN = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

/**
 * `{ rate, listen(onSamples), stop() }`: `onSamples` gets Float32Arrays of a tenth of a second, one channel.
 * Throws what the browser says where the microphone is not allowed.
 */
export async function openMicrophone() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { ...PLAIN, channelCount: 1 } });
  const context = new AudioContext();
  await context.audioWorklet.addModule(new URL("pcm-worklet.js", import.meta.url));
  const node = new AudioWorkletNode(context, "pcm", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
  context.createMediaStreamSource(stream).connect(node);
  return {
    rate: context.sampleRate,
    listen(onSamples) {
      node.port.onmessage = ({ data }) => onSamples(data);
    },
    async stop() {
      node.port.onmessage = null;
      for (const track of stream.getTracks()) track.stop();
      await context.close();
    },
  };
}

/** Samples as signed 16-bit integers. */
export function pcm16(samples) {
  return Int16Array.from(samples, (value) => Math.max(-32768, Math.min(32767, Math.round(32768 * value))));
}
