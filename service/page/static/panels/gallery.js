// Gallery: who is enrolled, how their voices lie to each other, and how one leaves.

import { ask, call } from "../api.js";
import { codeLines } from "../code.js";
import { h, svg } from "../dom.js";
import { day, number, percent, seconds, t } from "../i18n.js";
import { answerPlace, errorBox, showAnswer } from "../widgets/report.js";

const PAGE = 50;
const RANDOM_ID = /^[0-9a-f]{32}$/; // that the service made up
const WIDTH = 640;
const HEIGHT = 400;
const MARGIN = 48;

export default function galleryPanel() {
  const list = answerPlace();
  const map = answerPlace();
  const code = codeLines();

  async function shown() {
    code.show({ path: "/speakers" });
    await Promise.all([showAnswer(list, table), showAnswer(map, picture)]);
  }

  async function table() {
    const body = h("tbody", {});
    const more = h("button", { type: "button", onclick: () => add() }, t("gallery.more"));
    let cursor = null;
    const page = await add();
    if (!page.total) return h("p", { class: "muted" }, t("gallery.empty"));
    return [
      h(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": t("gallery.title") },
        h(
          "table",
          {},
          h("caption", {}, t("gallery.total", { n: number(page.total, 0) })),
          h("thead", {}, h("tr", {}, ["name", "speech", "quality", "since"].map((key) => h("th", { scope: "col" }, t(`gallery.${key}`))), h("td", {}))),
          body,
        ),
      ),
      more,
    ];

    async function add() {
      const query = { limit: PAGE, ...(cursor && { cursor }) };
      const answer = await ask({ path: "/speakers", query });
      cursor = answer.next_cursor;
      more.hidden = !cursor;
      body.append(...answer.speakers.map(row));
      return answer;
    }
  }

  function row(speaker) {
    const { speaker_id, name, quality } = speaker;
    const who = name ?? speaker_id;
    const tags = [
      speaker.stale ? h("span", { class: "tag warning" }, t("gallery.stale")) : null,
      quality.ok ? h("span", { class: "tag good" }, t("gallery.good")) : h("span", { class: "tag warning" }, t("gallery.doubtful")),
      speaker.audio_retained ? h("span", { class: "tag" }, t("gallery.retained")) : null,
    ];
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, who, name && !RANDOM_ID.test(speaker_id) ? [h("br"), h("small", {}, speaker_id)] : null),
      h("td", {}, seconds(speaker.speech_s), " ", h("small", {}, recordings(speaker.utterances))),
      h("td", { title: quality.advice }, h("span", { class: "labels" }, tags)),
      h("td", { class: "date" }, day(speaker.created_at)),
      h(
        "td",
        {},
        h(
          "div",
          { class: "actions" },
          h(
            "button",
            { type: "button", class: "quiet danger", "aria-label": t("gallery.erase.of", { name: who }), onclick: () => confirmErasure(speaker_id, who) },
            t("gallery.erase"),
          ),
        ),
      ),
    );
  }

  function confirmErasure(speaker_id, who) {
    const request = { method: "DELETE", path: `/speakers/${encodeURIComponent(speaker_id)}` };
    const place = answerPlace();
    const box = h(
      "dialog",
      { "aria-labelledby": "erase-title", onclose: () => box.remove() },
      h(
        "form",
        { onsubmit: erase },
        h("h2", { id: "erase-title" }, t("gallery.erase.title", { name: who })),
        h("p", {}, t("gallery.erase.text")),
        h(
          "div",
          { class: "row" },
          h("button", { class: "danger" }, t("gallery.erase")),
          h("button", { type: "button", autofocus: true, onclick: () => box.close() }, t("dialog.cancel")),
        ),
        place,
      ),
    );
    document.body.append(box);
    box.showModal();

    async function erase(event) {
      event.preventDefault();
      try {
        await call(request);
        box.close();
        await shown();
        code.show(request);
      } catch (error) {
        place.replaceChildren(errorBox(error));
      }
    }
  }

  async function picture() {
    const answer = await ask({ path: "/gallery/map" });
    if (answer.points.length < 2) return null;
    return [draw(answer), pairs(answer)];
  }

  return { element: [h("div", { class: "columns" }, list, map), code.element], shown };
}

function recordings(n) {
  return n === 1 ? t("gallery.recording") : t("gallery.recordings", { n });
}

/** The voices as points; a dashed line joins two that are too near. */
function draw({ points, pairs: near, explained }) {
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
    const label = points.length <= 60 ? svg("text", { x: cx, y: crowded ? cy + 22 : cy - 12, "text-anchor": "middle" }, name ?? speaker_id) : null;
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

function pairs({ pairs: near, points }) {
  if (!near.length) return h("p", { class: "muted" }, t("gallery.apart"));
  const names = new Map(points.map(({ speaker_id, name }) => [speaker_id, name ?? speaker_id]));
  return h(
    "div",
    { class: "notice warning" },
    h("strong", {}, t("gallery.near")),
    h("ul", {}, near.map(({ first, second, score }) => h("li", {}, `${names.get(first)} – ${names.get(second)}: ${number(score, 2)}`))),
  );
}
