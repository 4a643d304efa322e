// Generate: a second of audio for a label.

import { ask } from "../api.js";
import { decode } from "../audio/decode.js";
import { codeLines } from "../code.js";
import { h } from "../dom.js";
import { languageName, t } from "../i18n.js";
import { answerPlace, showAnswer } from "../widgets/report.js";
import { timeline } from "../widgets/timeline.js";

const MOST_SHOWN = 12;

export default function generatePanel() {
  const labels = answerPlace();
  const clips = h("div", { class: "clips" });
  const failed = answerPlace();
  const code = codeLines();
  const seed = h("input", { type: "number", min: 0, max: 2 ** 32 - 1, step: 1, value: 1, required: true });
  let known = false;

  const fields = (label) => [
    ["label", label],
    ["seed", seed.value],
  ];
  const request = (label) => ({ method: "POST", path: "/generate", fields: fields(label) });

  async function shown() {
    code.show({ ...request("seven"), output: "seven.wav" });
    if (known) return;
    await showAnswer(labels, async () => {
      const answer = await ask({ path: "/generate/labels" });
      known = true;
      const buttons = answer.labels.map((label) =>
        h("button", { type: "button", class: "chip", onclick: () => generate(label) }, label),
      );
      const { model, language } = answer;
      const says = language ? t("generate.speaks", { model, language: languageName(language) }) : model;
      return [h("div", { class: "labels", role: "group", "aria-label": t("generate.labels") }, buttons), h("p", { class: "muted" }, says)];
    });
  }
  async function generate(label) {
    if (!seed.reportValidity()) return;
    code.show({ ...request(label), output: `${label}.wav` });
    await showAnswer(failed, async () => {
      const answer = await ask({ ...request(label), accept: "application/json" });
      const [clip] = answer.clips;
      const bytes = Uint8Array.from(atob(clip.audio), (letter) => letter.charCodeAt(0));
      const sound = await decode(new Blob([bytes], { type: "audio/wav" }));
      const line = timeline(sound, { spectrogram: true });
      const caption = h("figcaption", {}, h("strong", {}, label), " ", h("small", {}, t("generate.seed", { n: clip.seed })));
      clips.prepend(h("figure", { class: "stack" }, caption, line.element));
      while (clips.childElementCount > MOST_SHOWN) clips.lastElementChild.remove();
      line.play(0, sound.seconds);
    });
    seed.value = (Number(seed.value) + 1) % 2 ** 32;
  }

  return {
    element: [
      labels,
      h("label", { class: "field seed" }, h("span", {}, t("generate.next")), seed),
      failed,
      clips,
      code.element,
    ],
    shown,
  };
}
