// Who spoke when: a lane for each voice below the waveform.

import { ask, call } from "../api.js";
import { decode } from "../audio/decode.js";
import { codeLines } from "../code.js";
import { download, h } from "../dom.js";
import { EXAMPLES } from "../facts.js";
import { number, seconds, t } from "../i18n.js";
import { answerPlace, showAnswer, warnings } from "../widgets/report.js";
import { source } from "../widgets/source.js";
import { timeline } from "../widgets/timeline.js";

const COLOURS = 6;
const MOST_PIECES = 100; // that POST /speakers takes
const FORMATS = { RTTM: ["text/plain", "rttm"], WebVTT: ["text/vtt", "vtt"] };

export default function conversationPanel() {
  let file = null;
  let sound = null;
  const answer = answerPlace();
  const code = codeLines();
  const voices = h("input", { type: "number", min: 1, max: 100, onchange: run });
  const exports = Object.entries(FORMATS).map(([name, format]) =>
    h("button", { type: "button", onclick: () => save(...format) }, t("conversation.save", { name })),
  );
  const controls = h(
    "div",
    { class: "row", hidden: true },
    h("label", { class: "field" }, h("span", {}, t("conversation.voices")), voices),
    exports,
  );

  function request(accept) {
    const fields = voices.value ? [["num_speakers", voices.value]] : [];
    const output = accept && `conversation.${accept === "text/vtt" ? "vtt" : "rttm"}`;
    const files = [["audio", file ?? { name: "conversation.wav" }]];
    return { method: "POST", path: "/diarize", files, fields, accept, output };
  }
  async function take([first]) {
    file = first;
    sound = await decode(file);
    voices.value = "";
    await run();
  }
  async function run() {
    if (!file) return;
    code.show(request());
    await showAnswer(answer, async () => {
      const found = await ask(request());
      controls.hidden = false;
      return [picture(found), warnings(found.warnings)];
    });
  }
  async function save(accept, ending) {
    code.show(request(accept));
    const text = await (await call(request(accept))).blob();
    download(text, `${file.name.replace(/\.\w+$/, "")}.${ending}`);
  }

  function picture(found) {
    const line = timeline(sound ?? { samples: new Float32Array(1), rate: 16000, seconds: found.duration_s }, {
      head: h("span", { class: "take-name" }, file.name, h("small", {}, seconds(found.duration_s))),
    });
    const colours = new Map(found.speakers.map(({ label }, at) => [label, `--voice-${at % COLOURS}`]));
    line.paint(found.segments.map((segment) => ({ ...segment, colour: colours.get(segment.label) })));
    for (const speaker of found.speakers) {
      const own = found.segments.filter((segment) => segment.label === speaker.label);
      const who = speaker.name ?? speaker.speaker_id ?? unknownName(speaker.label);
      const bars = own.map((segment) => ({
        ...segment,
        label: `${who}, ${number(segment.start_s)}–${number(segment.end_s)} s${segment.overlap ? `, ${t("conversation.overlap")}` : ""}`,
        colour: colours.get(speaker.label),
        kind: `${speaker.speaker_id ? "" : "unknown"} ${segment.overlap ? "overlap" : ""}`,
      }));
      const head = [
        h("span", { class: "swatch", vars: { "--colour": `var(${colours.get(speaker.label)})` } }),
        h(
          "div",
          { class: "lane-name" },
          h("span", {}, who, " ", h("small", {}, seconds(speaker.speech_s))),
          speaker.speaker_id ? null : enrolButton(who, own),
        ),
      ];
      line.lane(head, bars);
    }
    return line.element;
  }

  function enrolButton(who, segments) {
    const open = () => dialog(who, segments).showModal();
    return h("button", { type: "button", class: "link", onclick: open }, t("conversation.enrol"));
  }

  /** Enrols a voice of the conversation from its own segments. */
  function dialog(who, segments) {
    const name = h("input", { required: true, maxlength: 200, autocomplete: "off" });
    const consent = h("input", { type: "checkbox", required: true });
    const place = answerPlace();
    const box = h(
      "dialog",
      { "aria-labelledby": "enrol-unknown", onclose: () => box.remove() },
      h(
        "form",
        { onsubmit: enrol },
        h("h2", { id: "enrol-unknown" }, t("conversation.who", { name: who })),
        h("label", { class: "field" }, h("span", {}, t("enrol.name")), name),
        h("label", { class: "check" }, consent, h("span", {}, t("enrol.consent"))),
        h(
          "div",
          { class: "row" },
          h("button", { class: "primary" }, t("enrol.submit")),
          h("button", { type: "button", onclick: () => box.close() }, t("dialog.cancel")),
        ),
        place,
      ),
    );
    document.body.append(box);
    return box;

    async function enrol(event) {
      event.preventDefault();
      await showAnswer(place, async () => {
        const longest = segments.toSorted((a, b) => b.end_s - b.start_s - (a.end_s - a.start_s)).slice(0, MOST_PIECES);
        const pieces = longest.flatMap(({ start_s, end_s }) => [
          ["start_s", String(start_s)],
          ["end_s", String(end_s)],
        ]);
        const sent = { method: "POST", path: "/speakers", files: [["audio", file]], fields: [["name", name.value], ...pieces] };
        await ask(sent);
        box.close();
        await run();
        code.show(sent);
      });
    }
  }

  code.show(request());
  return {
    element: [
      source({ several: false, examples: EXAMPLES.conversation, onFiles: take }),
      controls,
      answer,
      code.element,
    ],
  };
}

/** `unknown 2` in the language of the page. */
function unknownName(label) {
  return t("conversation.unknown", { n: label.replace(/\D/g, "") });
}
