// Identify: whose voice is it, or nobody's.

import { ask } from "../api.js";
import { decode } from "../audio/decode.js";
import { codeLines } from "../code.js";
import { h } from "../dom.js";
import { EXAMPLES, facts } from "../facts.js";
import { number, seconds, t } from "../i18n.js";
import { candidateBars } from "../widgets/candidates.js";
import { answerPlace, audioFacts, showAnswer, warnings } from "../widgets/report.js";
import { source } from "../widgets/source.js";
import { timeline } from "../widgets/timeline.js";

const RATES = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2];

export default function identifyPanel() {
  let file = null;
  const picture = h("div", { class: "takes" });
  const answer = answerPlace();
  const code = codeLines();
  const words = h("output", { id: "fpr-words" });
  const nearest = RATES.reduce((best, rate) =>
    Math.abs(Math.log(rate / facts.target_fpr)) < Math.abs(Math.log(best / facts.target_fpr)) ? rate : best,
  );
  const slider = h("input", {
    type: "range",
    min: 0,
    max: RATES.length - 1,
    value: RATES.indexOf(nearest),
    "aria-describedby": "fpr-words",
    oninput: say,
    onchange: identify,
  });

  const rate = () => RATES[slider.value];
  function say() {
    words.textContent = t("identify.strangers", { n: number(1 / rate(), 0) });
    slider.setAttribute("aria-valuetext", words.textContent);
    code.show(request());
  }
  function request() {
    const sent = file ?? { name: "recording.wav" };
    return { method: "POST", path: "/identify", files: [["audio", sent]], fields: [["target_fpr", String(rate())]] };
  }
  async function take([first]) {
    file = first;
    const sound = await decode(file);
    const head = h("span", { class: "take-name" }, file.name, sound && h("small", {}, seconds(sound.seconds)));
    picture.replaceChildren(sound ? timeline(sound, { head }).element : head);
    code.show(request());
    await identify();
  }
  async function identify() {
    if (!file) return;
    await showAnswer(answer, async () => {
      const decision = await ask(request());
      return [verdict(decision), decision.candidates.length ? candidateBars(decision) : null, warnings(decision.warnings), audioFacts(decision.audio)];
    });
  }

  say();
  return {
    element: [
      h(
        "div",
        { class: "columns" },
        h(
          "div",
          {},
          source({ several: false, examples: EXAMPLES.identify, onFiles: take }),
          picture,
          h(
            "div",
            { class: "slider" },
            h("label", {}, h("span", {}, t("identify.strictness")), slider),
            h("div", { class: "slider-ends", "aria-hidden": "true" }, h("span", {}, t("identify.strict")), h("span", {}, t("identify.lenient"))),
            words,
          ),
        ),
        answer,
      ),
      code.element,
    ],
  };
}

function verdict({ match, searched }) {
  if (!searched) return h("p", { class: "verdict" }, t("identify.empty"));
  if (!match) return h("p", { class: "verdict" }, t("identify.nobody"));
  return h("p", { class: "verdict match" }, t("identify.match", { name: match.name ?? match.speaker_id }));
}
