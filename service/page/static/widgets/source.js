// Where recordings come in: the microphone, files, examples at a click.

import { canRecord, record } from "../audio/recorder.js";
import { h } from "../dom.js";
import { loadExample } from "../facts.js";
import { seconds, t } from "../i18n.js";

/**
 * The element. `onFiles(files, name)` gets recordings, and who reads where it is an example.
 * `onSpeech(speech_s)` hears of speech while the microphone records.
 */
export function source({ several, examples = [], exampleLabel, onFiles, onSpeech = () => {} }) {
  const status = h("p", { class: "source-status", role: "status" });
  const meter = h("span", { class: "meter-fill" });
  const input = h("input", {
    type: "file",
    multiple: several,
    accept: "audio/*,video/*",
    class: "visually-hidden",
    tabindex: "-1",
    "aria-hidden": "true",
    onchange: () => {
      onFiles([...input.files], null);
      input.value = "";
    },
  });
  const choose = h("button", { type: "button", onclick: () => input.click() }, t(several ? "source.files" : "source.file"));
  const button = h("button", { type: "button", class: "record", onclick: toggle }, t("source.record"));
  const recording = h("div", { class: "meter", "aria-hidden": "true", hidden: true }, meter);
  let finish = null;

  async function toggle() {
    if (finish) {
      const end = finish;
      finish = null;
      button.textContent = t("source.record");
      button.classList.remove("recording");
      recording.hidden = true;
      status.textContent = "";
      onFiles([await end()], null);
      return;
    }
    button.disabled = true;
    try {
      let before = "";
      finish = await record(({ dbfs, seconds: time, speech_s, hint }) => {
        if (!finish) return;
        meter.style.setProperty("--level", Math.max(0, 1 + dbfs / 60));
        onSpeech(speech_s);
        button.textContent = `${t("source.stop")} · ${seconds(time)}`;
        const words = t(hint ? `source.${hint}` : "source.recording");
        if (words !== before) status.textContent = before = words;
        status.classList.toggle("warning", Boolean(hint));
      });
      button.classList.add("recording");
      recording.hidden = false;
    } catch (error) {
      status.textContent = t(error.name === "NotFoundError" ? "source.nomicrophone" : "source.refused");
    } finally {
      button.disabled = false;
    }
  }

  const element = h(
    "div",
    { class: "source" },
    h(
      "div",
      { class: "source-row" },
      canRecord() ? button : null,
      choose,
      input,
      h("span", { class: "muted drop-hint" }, t("source.drop")),
    ),
    recording,
    status,
    canRecord() ? null : h("p", { class: "muted" }, t("source.insecure")),
    examples.length
      ? h(
          "div",
          { class: "source-row examples" },
          h("span", { class: "muted" }, exampleLabel ?? t("source.examples")),
          examples.map((example) => {
            const label = example.name ?? t("source.stranger");
            const take = async () => onFiles([await loadExample(example)], example.name);
            return h("button", { type: "button", class: "chip", onclick: take }, label);
          }),
        )
      : null,
  );
  element.addEventListener("dragover", (event) => {
    event.preventDefault();
    element.classList.add("over");
  });
  element.addEventListener("dragleave", () => element.classList.remove("over"));
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    element.classList.remove("over");
    const files = [...event.dataTransfer.files];
    if (files.length) onFiles(several ? files : files.slice(0, 1), null);
  });
  return element;
}
