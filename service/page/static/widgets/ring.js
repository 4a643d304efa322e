// A ring that fills with speech.

import { h, svg } from "../dom.js";
import { seconds, t } from "../i18n.js";

const RADIUS = 52;
const LENGTH = 2 * Math.PI * RADIUS;

/** `{ element, show(speech_s) }`: full at `ample_s`, with a mark at `needed_s`. */
export function ring(needed_s, ample_s) {
  const arc = svg("circle", { class: "ring-arc", cx: 64, cy: 64, r: RADIUS, "stroke-dasharray": `0 ${LENGTH}` });
  const angle = (2 * Math.PI * needed_s) / ample_s - Math.PI / 2;
  const at = (r) => [64 + r * Math.cos(angle), 64 + r * Math.sin(angle)];
  const [x1, y1] = at(RADIUS - 8);
  const [x2, y2] = at(RADIUS + 8);
  const value = h("strong", {}, seconds(0));
  const words = h("span", {}, t("ring.none"));
  const element = h(
    "div",
    { class: "ring" },
    svg(
      "svg",
      { viewBox: "0 0 128 128", "aria-hidden": "true" },
      svg("circle", { class: "ring-track", cx: 64, cy: 64, r: RADIUS }),
      arc,
      svg("line", { class: "ring-mark", x1, y1, x2, y2 }),
    ),
    h("p", { class: "ring-text" }, value, words),
  );
  return {
    element,
    show(speech_s) {
      const share = Math.min(1, speech_s / ample_s);
      arc.setAttribute("stroke-dasharray", `${share * LENGTH} ${LENGTH}`);
      element.classList.toggle("enough", speech_s >= needed_s);
      value.textContent = seconds(speech_s);
      const left = seconds(Math.max(0, needed_s - speech_s));
      words.textContent =
        speech_s >= ample_s ? t("ring.ample") : speech_s >= needed_s ? t("ring.enough") : t("ring.more", { left });
    },
  };
}
