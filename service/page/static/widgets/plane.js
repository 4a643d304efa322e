// All voices as points of a plane, and the pairs of them that are too near.

import { h, svg } from "../dom.js";
import { number, percent, t } from "../i18n.js";

const WIDTH = 640;
const HEIGHT = 400;
const MARGIN = 48;
const MOST_NAMES = 60;

/** The voices as points; a dashed line joins two that are too near. */
export function voicePlane({ points, pairs: near, explained }) {
  const across = (key, size) => {
    const values = points.map((point) => point[key]);
    const low = Math.min(...values);
    const range = Math.max(...values) - low || 1;
    return (value) => MARGIN + ((value - low) / range) * (size - 2 * MARGIN);
  };
  const x = across("x", WIDTH);
  const y = across("y", HEIGHT);
  const place = new Map(points.map((point) => [point.speaker_id, [x(point.x), HEIGHT - y(point.y)]]));
  const joined = near.map(({ first, second }) => {
    const [[x1, y1], [x2, y2]] = [place.get(first), place.get(second)];
    return svg("line", { x1, y1, x2, y2 });
  });
  const labelled = []; // where a name stands already
  const dots = points.map(({ speaker_id, name }) => {
    const [cx, cy] = place.get(speaker_id);
    const crowded = labelled.some(([x1, y1]) => Math.abs(x1 - cx) < 70 && Math.abs(y1 - cy) < 18);
    if (!crowded) labelled.push([cx, cy]);
    const label = points.length <= MOST_NAMES ? svg("text", { x: cx, y: crowded ? cy + 22 : cy - 12, "text-anchor": "middle" }, name ?? speaker_id) : null;
    return svg("g", {}, svg("circle", { cx, cy, r: 6 }), label, svg("title", {}, name ?? speaker_id));
  });
  const words = t("gallery.map", { share: percent(explained) });
  return h(
    "figure",
    { class: "stack" },
    svg("svg", { class: "map", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": t("gallery.map.label", { n: points.length }) }, joined, dots),
    h("figcaption", { class: "muted" }, words),
  );
}

export function nearPairs({ pairs: near, points }) {
  if (!near.length) return h("p", { class: "muted" }, t("gallery.apart"));
  const names = new Map(points.map(({ speaker_id, name }) => [speaker_id, name ?? speaker_id]));
  return h(
    "div",
    { class: "notice warning" },
    h("strong", {}, t("gallery.near")),
    h("ul", {}, near.map(({ first, second, score }) => h("li", {}, `${names.get(first)} – ${names.get(second)}: ${number(score, 2)}`))),
  );
}
