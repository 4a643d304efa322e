// A recording as samples, for pictures and for playing.

const RATE = 16000;

/**
 * The mean of all channels at 16 kHz: `{ samples, seconds }`, or null where this browser cannot read the format.
 * The service reads more formats than a browser.
 */
export async function decode(file) {
  try {
    const context = new OfflineAudioContext(1, 1, RATE);
    const buffer = await context.decodeAudioData(await file.arrayBuffer());
    const samples = new Float32Array(buffer.length);
    for (let channel = 0; channel < buffer.numberOfChannels; channel++) {
      const data = buffer.getChannelData(channel);
      for (let i = 0; i < samples.length; i++) samples[i] += data[i] / buffer.numberOfChannels;
    }
    return { samples, rate: RATE, seconds: buffer.duration };
  } catch {
    return null;
  }
}
