// A recording over time: its waveform, coloured regions, lanes below it, a ruler, and playing by click.

import { play, stop } from "../audio/player.js";
import { drawSpectrogram } from "../audio/spectrum.js";
import { colour, h } from "../dom.js";
import { number, t } from "../i18n.js";

const WAVE_PX = 72;

/**
 * `{ element, paint(regions), lane(head, bars), clearLanes(), play(from, to) }`.
 *
 * `sound` is what `decode` answers. A region is `{ start_s, end_s, colour }`, the colour a variable of style.css.
 */
export function timeline(sound, { head = null, spectrogram = false } = {}) {
  const wave = h("canvas", { class: "wave" });
  const spectrum = spectrogram ? h("canvas", { class: "spectrum" }) : null;
  const button = h("button", { type: "button", class: "play", "aria-label": t("timeline.play") });
  const playhead = h("div", { class: "playhead", hidden: true });
  const track = h(
    "div",
    { class: "track", onclick: (event) => from(event) },
    wave,
    spectrum,
  );
  const gutter = h("div", { class: "gutter" }, button, head);
  const element = h(
    "div",
    { class: "timeline" },
    gutter,
    track,
    ruler(sound.seconds),
    h("div", { class: "overlay" }, playhead),
  );
  let regions = [];
  let playing = false;
  button.addEventListener("click", () => (playing ? stop() : start(0, sound.seconds)));

  function start(begin, end) {
    play(sound, begin, end, (at) => {
      playing = at !== null;
      button.classList.toggle("playing", playing);
      button.setAttribute("aria-label", t(playing ? "timeline.stop" : "timeline.play"));
      playhead.hidden = !playing;
      if (playing) playhead.style.left = `${(100 * at) / sound.seconds}%`;
    });
  }
  function from(event) {
    const box = track.getBoundingClientRect();
    start(((event.clientX - box.left) / box.width) * sound.seconds, sound.seconds);
  }
  function draw() {
    if (!element.isConnected || !wave.clientWidth) return;
    drawWave(wave, sound, inks(regions, "--wave"));
    if (spectrum) drawSpectrogram(spectrum, sound, inks(regions, "--ink"));
  }
  new ResizeObserver(draw).observe(track);
  document.addEventListener("themechange", draw);

  return {
    element,
    play: start,
    paint(next) {
      regions = next;
      draw();
    },
    lane(headElement, bars) {
      const row = h("div", { class: "lane" });
      for (const { start_s, end_s, label, colour: name, kind } of bars) {
        const place = { left: `${(100 * start_s) / sound.seconds}%`, width: `${(100 * (end_s - start_s)) / sound.seconds}%` };
        const bar = h("button", {
          type: "button",
          class: `bar ${kind ?? ""}`,
          title: label,
          "aria-label": label,
          vars: { ...place, "--colour": `var(${name})` },
          onclick: () => start(start_s, end_s),
        });
        row.append(bar);
      }
      element.querySelector(".ruler").before(h("div", { class: "gutter lane-head" }, headElement), row);
    },
    clearLanes() {
      for (const old of element.querySelectorAll(".lane, .lane-head")) old.remove();
    },
  };
}

function ruler(total) {
  const step = [0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120].find((size) => total / size <= 12) ?? 300;
  const marks = [];
  for (let at = 0; at <= total * 0.97; at += step) {
    marks.push(h("span", { vars: { left: `${(100 * at) / total}%` } }, number(at, step < 1 ? 2 : 0)));
  }
  return h("div", { class: "ruler", "aria-hidden": "true" }, marks);
}

/** Which colour a place in seconds has, as [r, g, b]: that of its region, else `plain`. */
function inks(regions, plain) {
  const rgb = (name) => colour(name).match(/[\d.]+/g).slice(0, 3).map(Number);
  const named = regions.map((region) => ({ ...region, ink: rgb(region.colour) }));
  const elsewhere = rgb(plain);
  return (at) => named.findLast((region) => region.start_s <= at && at < region.end_s)?.ink ?? elsewhere;
}

/** The largest and smallest sample of each column, in the ink of its place. */
function drawWave(canvas, { samples, seconds }, ink) {
  const scale = devicePixelRatio;
  canvas.width = Math.round(canvas.clientWidth * scale);
  canvas.height = Math.round(WAVE_PX * scale);
  const pen = canvas.getContext("2d");
  const { width, height } = canvas;
  const loudest = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
  for (let x = 0; x < width; x += 1) {
    let low = 0;
    let high = 0;
    const end = ((x + 1) / width) * samples.length;
    for (let i = Math.floor((x / width) * samples.length); i < end; i++) {
      low = Math.min(low, samples[i]);
      high = Math.max(high, samples[i]);
    }
    const at = ((x + 0.5) / width) * seconds;
    pen.fillStyle = `rgb(${ink(at).join()})`;
    const top = height / 2 - (high / loudest) * (height / 2 - 2);
    const bottom = height / 2 - (low / loudest) * (height / 2 - 2);
    pen.fillRect(x, top, 1, Math.max(scale, bottom - top));
  }
}
