// Enrol: recordings of one person become a voiceprint with a name.

import { ask } from "../api.js";
import { decode } from "../audio/decode.js";
import { codeLines } from "../code.js";
import { h } from "../dom.js";
import { EXAMPLES, facts } from "../facts.js";
import { number, seconds, t } from "../i18n.js";
import { answerPlace, audioFacts, showAnswer, warnings } from "../widgets/report.js";
import { ring } from "../widgets/ring.js";
import { source } from "../widgets/source.js";
import { timeline } from "../widgets/timeline.js";

const AMPLE_S = 10;

export default function enrolPanel() {
  const takes = []; // { file, speech_s, element }
  const speech = ring(facts.enrol_s, Math.max(AMPLE_S, facts.enrol_s));
  const list = h("div", { class: "takes" });
  const answer = answerPlace();
  const code = codeLines();
  const name = h("input", { name: "name", required: true, maxlength: 200, autocomplete: "off", oninput: refresh });
  const consent = h("input", { type: "checkbox", required: true, onchange: refresh });
  const retain = h("input", { type: "checkbox", role: "switch", onchange: refresh });

  const form = h(
    "form",
    { class: "stack", onsubmit: submit },
    h("label", { class: "field" }, h("span", {}, t("enrol.name")), name),
    h("label", { class: "check" }, consent, h("span", {}, t("enrol.consent"))),
    h("label", { class: "check" }, retain, h("span", {}, t("enrol.retain"))),
    h("button", { class: "primary" }, t("enrol.submit")),
  );

  function refresh() {
    speech.show(takes.reduce((sum, take) => sum + take.speech_s, 0));
    code.show(request());
  }
  function request() {
    const files = takes.length ? takes.map(({ file }) => ["audio", file]) : [["audio", { name: "recording.wav" }]];
    const fields = [["name", name.value || "Bea"]];
    const agreed = retain.checked ? `${t("enrol.consent")} ${t("enrol.retain")}` : t("enrol.consent");
    if (consent.checked) fields.push(["consent", agreed]);
    if (retain.checked) fields.push(["retain_audio", "true"]);
    return { method: "POST", path: "/speakers", files, fields };
  }

  async function add(files, reader) {
    if (reader) {
      for (const take of takes.splice(0)) take.element.remove();
      name.value = reader;
    }
    for (const file of files) {
      const take = { file, speech_s: 0, element: h("article", { class: "take" }) };
      takes.push(take);
      list.append(take.element);
      await describe(take);
    }
  }

  /** The waveform at once; then what the service finds in it: speech, and whether somebody else speaks too. */
  async function describe(take) {
    const sound = await decode(take.file);
    const remove = () => {
      takes.splice(takes.indexOf(take), 1);
      take.element.remove();
      refresh();
    };
    const label = t("enrol.remove", { name: take.file.name });
    const head = h("span", { class: "take-name" }, take.file.name, sound && h("small", {}, seconds(sound.seconds)));
    const title = h("button", { type: "button", class: "quiet remove", "aria-label": label, onclick: remove }, "×");
    const line = sound ? timeline(sound, { head, spectrogram: true }) : null;
    const place = answerPlace();
    take.element.append(line?.element ?? head, title, place);
    refresh();
    await showAnswer(place, async () => {
      const diarization = await ask({ method: "POST", path: "/diarize", files: [["audio", take.file]] });
      const main = diarization.speakers.reduce((most, speaker) => (speaker.speech_s > most.speech_s ? speaker : most));
      const other = diarization.segments.filter((segment) => segment.label !== main.label);
      take.speech_s = main.speech_s;
      line?.paint(
        diarization.segments.map((segment) => ({
          ...segment,
          colour: segment.label === main.label ? "--voice-0" : "--danger",
        })),
      );
      refresh();
      const notices = diarization.audio.warnings.slice();
      if (other.length) {
        const where = other.map(({ start_s, end_s }) => `${number(start_s)}–${number(end_s)} s`).join(", ");
        notices.push(t("enrol.other", { where }));
      }
      if (main.speaker_id) notices.push(t("enrol.known", { name: main.name ?? main.speaker_id }));
      return [audioFacts(diarization.audio), warnings(notices)];
    });
  }

  async function submit(event) {
    event.preventDefault();
    await showAnswer(answer, async () => {
      if (!takes.length) return h("p", { class: "notice warning" }, t("enrol.norecording"));
      const enrolled = await ask(request());
      const { quality } = enrolled;
      const who = enrolled.name ?? enrolled.speaker_id;
      for (const take of takes.splice(0)) take.element.remove();
      form.reset();
      refresh();
      return h(
        "div",
        { class: `notice ${quality.ok ? "good" : "warning"}` },
        h("strong", {}, t("enrol.done", { name: who })),
        h("p", {}, t("enrol.measured", { speech: seconds(enrolled.speech_s), n: enrolled.utterances }), " ", quality.advice),
        issues(quality.issues ?? []),
      );
    });
  }

  refresh();
  return {
    element: [
      h(
        "div",
        { class: "columns" },
        h("div", {}, source({ several: true, examples: EXAMPLES.enrol, onFiles: add, onSpeech: listening }), list),
        h("aside", { class: "stack" }, speech.element, form, answer),
      ),
      code.element,
    ],
  };

  function listening(speech_s) {
    speech.show(takes.reduce((sum, take) => sum + take.speech_s, speech_s));
  }
}

/** What makes an enrolment less reliable, with the seconds. */
function issues(list) {
  if (!list.length) return null;
  const place = ({ recording, start_s, end_s }) =>
    [recording && `#${recording}`, start_s !== null && `${number(start_s)}–${number(end_s)} s`].filter(Boolean).join(", ");
  return h("ul", {}, list.map((issue) => h("li", {}, place(issue) && h("b", {}, `${place(issue)}: `), issue.advice)));
}
