// Who spoke when: a lane for each voice below the waveform.

import { ask, call, events, Problem } from "../api.js";
import { decode } from "../audio/decode.js";
import { codeLines } from "../code.js";
import { download, h } from "../dom.js";
import { EXAMPLES, facts } from "../facts.js";
import { percent, t } from "../i18n.js";
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
  const voices = h("input", { type: "number", min: 1, max: 100, onchange: () => run() });
  const exports = Object.entries(FORMATS).map(([name, format]) =>
    h("button", { type: "button", onclick: () => save(...format) }, t("conversation.save", { name })),
  );
  const controls = h(
    "div",
    { class: "row", hidden: true },
    h("label", { class: "field" }, h("span", {}, t("conversation.voices")), voices),
    exports,
  );

  const isLong = () => sound?.seconds > facts.max_s;

  function request(accept) {
    const fields = voices.value ? [["num_speakers", voices.value]] : [];
    if (isLong()) fields.push(["background", "true"]);
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
  /** `job` is a recording that was listened to already. */
  async function run(job = null) {
    if (!file) return;
    code.show(request());
    await showAnswer(answer, async () => {
      if (isLong()) job ??= await inBackground();
      const diarization = job ? (await ask({ path: `/diarize/${job}` })).diarization : await ask(request());
      controls.hidden = false;
      for (const button of exports) button.hidden = Boolean(job); // the service writes them with a short answer alone
      const action = (who, segments) => enrolButton(who, segments, job);
      return [conversation(diarization, sound, { name: file.name, action }), warnings(diarization.warnings)];
    });
  }

  /** Has a recording of hours listened to, and shows how far that is. Answers the id of the job. */
  async function inBackground() {
    const { job_id } = await ask(request());
    const bar = h("progress", { max: 1, "aria-label": t("conversation.long") });
    const words = h("p", {}, t("conversation.long"));
    answer.replaceChildren(h("div", { class: "notice" }, words, bar));
    let last = { state: "lost" };
    for await (const state of events(`/diarize/${job_id}/events`)) {
      last = state;
      bar.value = state.progress ?? 0;
      words.textContent = `${t("conversation.long")} ${percent(bar.value)}`;
    }
    if (last.state !== "succeeded") throw new Problem(500, { title: t("conversation.lost"), detail: last.error ?? "" });
    return job_id;
  }
  async function save(accept, ending) {
    code.show(request(accept));
    const text = await (await call(request(accept))).blob();
    download(text, `${file.name.replace(/\.\w+$/, "")}.${ending}`);
  }

  function enrolButton(who, segments, job) {
    const open = () => enrolUnknown(who, segments, job);
    return h("button", { type: "button", class: "link", onclick: open }, t("conversation.enrol"));
  }

  /** Enrols a voice of the conversation from its own segments. */
  function enrolUnknown(who, segments, job) {
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
        const fields = [["name", name.value], ["consent", t("enrol.consent")]];
        const voice = job
          ? { fields: [...fields, ["from_job", job], ["label", segments[0].label]] }
          : { fields: [...fields, ...pieces(segments)], files: [["audio", file]] };
        const sent = { method: "POST", path: "/speakers", ...voice };
        await ask(sent);
        await run(job);
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
