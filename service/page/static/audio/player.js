// Plays one recording at a time.

let context = null;
let current = null;

/** Plays from `from` to `to` seconds; calls `onTime` with the place, and with null at the end. */
export function play({ samples, rate }, from, to, onTime) {
  stop();
  context ??= new AudioContext();
  context.resume();
  const buffer = context.createBuffer(1, samples.length, rate);
  buffer.copyToChannel(samples, 0);
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(context.destination);
  source.start(0, from, to - from);
  const started = context.currentTime;
  const playing = { source, onTime };
  current = playing;
  source.onended = () => current === playing && stop();
  const tick = () => {
    if (current !== playing) return;
    onTime(Math.min(to, from + context.currentTime - started));
    requestAnimationFrame(tick);
  };
  tick();
}

export function stop() {
  if (!current) return;
  const { source, onTime } = current;
  current = null;
  source.onended = null;
  source.stop();
  onTime(null);
}
