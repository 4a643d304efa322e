// Fine-tune: recordings without labels become a new version of the model.

import { ask, call, events } from "../api.js";
import { codeLines } from "../code.js";
import { h } from "../dom.js";
import { EXAMPLES, loadExample } from "../facts.js";
import { moment, number, percent, seconds, t } from "../i18n.js";
import { answerPlace, showAnswer, warnings } from "../widgets/report.js";
import { source } from "../widgets/source.js";

const OVER = ["succeeded", "failed", "canceled"];

export default function finetunePanel() {
  const files = [];
  const list = h("p", { class: "muted" }, t("finetune.nofiles"));
  const job = answerPlace();
  const versions = answerPlace();
  const code = codeLines();
  const activate = h("input", { type: "checkbox", onchange: refresh });
  const steps = h("input", { type: "number", min: 0, max: 5000, value: 0, required: true, oninput: refresh });

  function request() {
    const sent = files.length ? files : [{ name: "one.wav" }, { name: "two.wav" }];
    const fields = [["activate", activate.checked ? "if_better" : "never"]];
    if (steps.value !== "0") fields.push(["steps", steps.value]);
    return { method: "POST", path: "/finetune", files: sent.map((file) => ["audio", file]), fields };
  }
  function refresh() {
    const size = files.reduce((sum, file) => sum + file.size, 0) / 1e6;
    list.textContent = files.length ? t("finetune.files", { n: files.length, size: number(size) }) : t("finetune.nofiles");
    code.show(request());
  }
  function add(more) {
    files.push(...more);
    job.replaceChildren();
    refresh();
  }
  async function start(event) {
    event.preventDefault();
    await showAnswer(job, async () => {
      if (!files.length) return h("p", { class: "notice warning" }, t("finetune.nofiles"));
      const { job_id } = await ask(request());
      files.length = 0;
      refresh();
      return follow(job_id);
    });
  }

  /** The job as it goes on, read from its events. */
  function follow(job_id) {
    const bar = h("progress", { max: 1, "aria-label": t("finetune.progress") });
    const words = h("p", {}, t("finetune.state.queued"));
    const stop = () => call({ method: "DELETE", path: `/finetune/${job_id}` }).catch(() => {});
    const cancel = h("button", { type: "button", onclick: stop }, t("finetune.cancel"));
    const place = h("div", { class: "stack" }, h("div", { class: "notice" }, words, bar), cancel);
    watch();
    return place;

    async function watch() {
      await showAnswer(place, async () => {
        let last = null;
        for await (const state of events(`/finetune/${job_id}/events`)) {
          last = state;
          place.removeAttribute("aria-busy");
          const loss = state.loss === null ? "" : ` · ${t("finetune.loss")} ${number(state.loss, 3)}`;
          const left = state.eta_s === null ? "" : ` · ${t("finetune.left", { s: seconds(state.eta_s, 0) })}`;
          words.textContent = t(`finetune.state.${state.state}`) + loss + left;
          if (state.steps) bar.value = state.progress;
        }
        if (!last || !OVER.includes(last.state)) return h("p", { class: "notice" }, t("finetune.later"));
        await showVersions();
        return result(last);
      });
    }
  }

  async function result(state) {
    if (state.state !== "succeeded") {
      return h("div", { class: "notice error", role: "alert" }, t(`finetune.state.${state.state}`), " ", state.error ?? "");
    }
    const { report, activation, version, job_id } = state;
    const picture = await call({ path: `/finetune/${job_id}/report.png` });
    const url = URL.createObjectURL(await picture.blob());
    const separation = report.measures.separation;
    if (activation?.state === "active") document.dispatchEvent(new Event("modelchange"));
    return [
      h(
        "div",
        { class: `notice ${report.verdict === "better" ? "good" : "warning"}` },
        h("strong", {}, t("finetune.done", { version })),
        h("p", {}, report.reason),
        activation ? h("p", {}, activation.reason) : null,
      ),
      separation
        ? h("p", {}, t("finetune.separation", { before: percent(separation.before, 1), after: percent(separation.after, 1) }))
        : null,
      h("img", { class: "report", src: url, alt: t("finetune.picture") }),
      warnings(report.skipped.map(String)),
    ];
  }

  async function showVersions() {
    await showAnswer(versions, async () => {
      const { models, model: active, generator } = await ask({ path: "/models" });
      const voices = models.filter(({ name }) => name !== generator?.split("/")[0]);
      return h(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": t("finetune.versions") },
        h(
          "table",
          {},
          h("caption", {}, t("finetune.versions")),
          h("tbody", {}, voices.toReversed().map((model) => versionRow(model, active))),
        ),
      );
    });
  }

  function versionRow({ name, version, parent, created_at }, active) {
    const id = `${name}/${version}`;
    const serves = id === active;
    const button = h("button", { type: "button", "aria-label": t("finetune.activate.of", { id }), onclick: () => use(id) }, t("finetune.activate"));
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, id, parent ? [h("br"), h("small", {}, t("finetune.parent", { parent }))] : null),
      h("td", { class: "date" }, moment(created_at)),
      h("td", {}, h("div", { class: "actions" }, serves ? h("span", { class: "tag good" }, t("finetune.serves")) : button)),
    );
  }

  async function use(id) {
    const sent = { method: "POST", path: `/models/${id}/activate` };
    code.show(sent);
    await showAnswer(job, async () => {
      const { model, speakers } = await ask(sent);
      document.dispatchEvent(new Event("modelchange"));
      await showVersions();
      const counts = ["reembedded", "mapped", "kept", "stale"].map((key) =>
        h("div", {}, h("dt", {}, t(`finetune.${key}`)), h("dd", {}, number(speakers[key], 0))),
      );
      return h("div", { class: "notice good" }, h("strong", {}, t("finetune.active", { model })), h("dl", { class: "facts" }, counts));
    });
  }

  refresh();
  const all = async () => add(await Promise.all(EXAMPLES.finetune.map(loadExample)));
  return {
    element: [
      h(
        "div",
        { class: "columns" },
        h(
          "div",
          {},
          source({ several: true, onFiles: add }),
          h(
            "form",
            { class: "stack", onsubmit: start },
            h("div", { class: "row" }, list, EXAMPLES.finetune.length ? h("button", { type: "button", class: "chip", onclick: all }, t("finetune.examples")) : null),
            h("label", { class: "check" }, activate, h("span", {}, t("finetune.ifbetter"))),
            h("label", { class: "field seed" }, h("span", {}, t("finetune.steps")), steps),
            h("button", { class: "primary" }, t("finetune.start")),
          ),
        ),
        h("div", { class: "stack" }, job, versions),
      ),
      code.element,
    ],
    shown: showVersions,
  };
}
