// Hands the samples of the microphone to the page, a tenth of a second at a time.

class Pcm extends AudioWorkletProcessor {
  constructor() {
    super();
    this.chunk = new Float32Array(Math.round(sampleRate / 10));
    this.filled = 0;
  }

  process([[samples]]) {
    for (const value of samples ?? []) {
      this.chunk[this.filled++] = value;
      if (this.filled === this.chunk.length) {
        this.port.postMessage(this.chunk.slice());
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("pcm", Pcm);
