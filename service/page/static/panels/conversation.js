// Who spoke when: a lane for each voice below the waveform.

import { ask, call } from "../api.js";
import { decode } from "../audio/decode.js";
import { codeLines } from "../code.js";
import { download, h } from "../dom.js";
import { EXAMPLES } from "../facts.js";
import { t } from "../i18n.js";
import { conversation } from "../widgets/conversation.js";
import { openDialog } from "../widgets/dialog.js";
import { answerPlace, showAnswer, warnings } from "../widgets/report.js";
import { source } from "../widgets/source.js";

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
      return [conversation(found, sound, { name: file.name, action: enrolButton }), warnings(found.warnings)];
    });
  }
  async function save(accept, ending) {
    code.show(request(accept));
    const text = await (await call(request(accept))).blob();
    download(text, `${file.name.replace(/\.\w+$/, "")}.${ending}`);
  }

  function enrolButton(who, segments) {
    const open = () => enrolUnknown(who, segments);
    return h("button", { type: "button", class: "link", onclick: open }, t("conversation.enrol"));
  }

  /** Enrols a voice of the conversation from its own segments. */
  function enrolUnknown(who, segments) {
    const name = h("input", { required: true, maxlength: 200, autocomplete: "off" });
    const consent = h("input", { type: "checkbox", required: true });
    openDialog({
      title: t("conversation.who", { name: who }),
      content: [
        h("label", { class: "field" }, h("span", {}, t("enrol.name")), name),
        h("label", { class: "check" }, consent, h("span", {}, t("enrol.consent"))),
      ],
      button: t("enrol.submit"),
      act: async () => {
        const fields = [["name", name.value], ["consent", t("enrol.consent")], ...pieces(segments)];
        const sent = { method: "POST", path: "/speakers", files: [["audio", file]], fields };
        await ask(sent);
        await run();
        code.show(sent);
      },
    });
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

/** The longest segments as fields of POST /speakers, in the order of the recording. */
function pieces(segments) {
  const longest = segments.toSorted((a, b) => b.end_s - b.start_s - (a.end_s - a.start_s)).slice(0, MOST_PIECES);
  const inOrder = longest.toSorted((a, b) => a.start_s - b.start_s);
  return inOrder.flatMap(({ start_s, end_s }) => [
    ["start_s", String(start_s)],
    ["end_s", String(end_s)],
  ]);
}
