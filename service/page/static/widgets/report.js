// What an action came to: errors, warnings, and what was measured of a recording.

import { Problem } from "../api.js";
import { h } from "../dom.js";
import { number, t } from "../i18n.js";

/** A place for the answer of an action, which a screen reader reads out. */
export function answerPlace() {
  return h("div", { class: "answer", "aria-live": "polite" });
}

/** Shows that an answer is awaited, then what `work` answers, or its error. Only the last call counts. */
export async function showAnswer(place, work) {
  const turn = Symbol("turn");
  place.turn = turn;
  place.setAttribute("aria-busy", "true");
  let content;
  try {
    content = await work();
  } catch (error) {
    content = errorBox(error);
  }
  if (place.turn !== turn) return;
  place.removeAttribute("aria-busy");
  place.replaceChildren(...[content].flat().filter(Boolean));
}

export function errorBox(error) {
  if (!(error instanceof Problem)) console.warn(error);
  const known = error instanceof Problem;
  return h(
    "div",
    { class: "notice error", role: "alert" },
    h("strong", {}, known ? error.title : t("error.unreachable")),
    h("p", {}, known ? error.message : t("error.unreachable.hint")),
  );
}

export function warnings(list) {
  return list.length ? h("ul", { class: "notice warning" }, list.map((text) => h("li", {}, text))) : null;
}

/** `audio` of an answer as a line of facts. */
export function audioFacts(audio) {
  const facts = [
    [t("audio.speech"), `${number(audio.speech_s)} s`],
    [t("audio.bandwidth"), audio.bandwidth_hz === null ? "–" : `${number(audio.bandwidth_hz / 1000)} kHz`],
    [t("audio.snr"), audio.snr_db === null ? "–" : `${number(audio.snr_db, 0)} dB`],
    [t("audio.level"), audio.level_dbfs === null ? "–" : `${number(audio.level_dbfs, 0)} dBFS`],
    [t("audio.codec"), audio.codec],
  ];
  return h("dl", { class: "facts" }, facts.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))));
}
