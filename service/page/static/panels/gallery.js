// Gallery: who is enrolled, how their voices lie to each other, and how one leaves.

import { ask, call } from "../api.js";
import { decode } from "../audio/decode.js";
import { codeLines } from "../code.js";
import { h } from "../dom.js";
import { day, moment, number, seconds, t } from "../i18n.js";
import { openDialog } from "../widgets/dialog.js";
import { nearPairs, voicePlane } from "../widgets/plane.js";
import { answerPlace, showAnswer } from "../widgets/report.js";
import { timeline } from "../widgets/timeline.js";

const PAGE = 50;
const RANDOM_ID = /^[0-9a-f]{32}$/; // that the service made up

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
    const path = `/speakers/${encodeURIComponent(speaker_id)}`;
    const action = (key, act, kind = "") =>
      h(
        "button",
        { type: "button", class: `quiet ${kind}`, "aria-label": t(`gallery.${key}.of`, { name: who }), onclick: () => act(path, who) },
        t(`gallery.${key}`),
      );
    const tags = [
      speaker.stale ? h("span", { class: "tag warning" }, t("gallery.stale")) : null,
      quality.ok ? h("span", { class: "tag good" }, t("gallery.good")) : h("span", { class: "tag warning" }, t("gallery.doubtful")),
      speaker.audio_retained ? h("span", { class: "tag" }, t("gallery.retained")) : null,
      speaker.consent ? h("span", { class: "tag", title: agreement(speaker.consent) }, t("gallery.agreed")) : null,
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
          speaker.audio_retained ? action("play", playBack) : null,
          action("rename", rename),
          action("erase", erase, "danger"),
        ),
      ),
    );
  }

  /** Does what a button asked for, then shows the gallery anew, and the lines of the call. */
  async function change(request) {
    await call(request);
    await shown();
    code.show(request);
  }

  function erase(path, who) {
    openDialog({
      title: t("gallery.erase.title", { name: who }),
      content: h("p", {}, t("gallery.erase.text")),
      button: t("gallery.erase"),
      danger: true,
      act: () => change({ method: "DELETE", path }),
    });
  }

  function rename(path, who) {
    const name = h("input", { required: true, maxlength: 200, autocomplete: "off", value: who });
    openDialog({
      title: t("gallery.rename.title", { name: who }),
      content: h("label", { class: "field" }, h("span", {}, t("enrol.name")), name),
      button: t("gallery.rename"),
      act: () => change({ method: "PATCH", path, json: { name: name.value } }),
    });
  }

  /** The recordings of a voice whose audio was retained, to be played back. */
  async function playBack(path, who) {
    const place = answerPlace();
    openDialog({ title: t("gallery.play.title", { name: who }), content: place });
    await showAnswer(place, async () => {
      const { recordings } = await ask({ path: `${path}/recordings` });
      const retained = recordings.filter((recording) => recording.audio_retained);
      return Promise.all(retained.map(({ recording }) => retainedAudio(`${path}/recordings/${recording}`)));
    });
  }

  async function retainedAudio(path) {
    const request = { path, output: "voice.ogg" };
    const sound = await decode(await (await call(request)).blob());
    code.show(request);
    if (!sound) return h("p", { class: "muted" }, t("timeline.unreadable"));
    return timeline(sound, { head: h("small", {}, seconds(sound.seconds)) }).element;
  }

  async function picture() {
    const answer = await ask({ path: "/gallery/map" });
    if (answer.points.length < 2) return null;
    return [voicePlane(answer), nearPairs(answer)];
  }

  return { element: [h("div", { class: "columns" }, list, map), code.element], shown };
}

function agreement({ text, given_at }) {
  return `${moment(given_at)}: ${text}`;
}

function recordings(n) {
  return n === 1 ? t("gallery.recording") : t("gallery.recordings", { n });
}
