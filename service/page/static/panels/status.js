// The service itself: whether it is ready, which model serves, and the key that the page sends.

import { ask, hasKey, useKey } from "../api.js";
import { codeLines } from "../code.js";
import { h } from "../dom.js";
import { facts } from "../facts.js";
import { t } from "../i18n.js";
import { answerPlace, errorBox, showAnswer, warnings } from "../widgets/report.js";

export default function statusPanel() {
  const answer = answerPlace();
  const code = codeLines();
  const key = h("input", { type: "password", autocomplete: "off", name: "key" });
  const held = h("p", { class: "muted", role: "status" });

  function use(event) {
    event.preventDefault();
    useKey(key.value);
    key.value = "";
    shown();
  }
  async function shown() {
    held.textContent = t(hasKey() ? "status.key.held" : "status.key.none");
    code.show({ path: "/readyz" });
    await showAnswer(answer, async () => {
      const [health, ready, models] = await Promise.allSettled(["/healthz", "/readyz", "/models"].map((path) => ask({ path })));
      const rows = [
        [t("status.health"), health.status === "fulfilled" ? t("status.alive") : t("status.dead")],
        [t("status.ready"), ready.status === "fulfilled" ? t("status.yes") : t("status.no")],
        [t("status.model"), ready.value?.model ?? "–"],
        [t("status.generator"), models.value?.generator ?? "–"],
        [t("status.version"), facts.version],
      ];
      return [
        h("table", {}, h("tbody", {}, rows.map(([term, value]) => h("tr", {}, h("th", { scope: "row" }, term), h("td", {}, value))))),
        warnings(ready.value?.notices ?? []),
        ready.status === "rejected" ? errorBox(ready.reason) : null,
      ];
    });
  }

  return {
    element: [
      h(
        "div",
        { class: "columns" },
        answer,
        h(
          "form",
          { class: "stack", onsubmit: use },
          h("label", { class: "field" }, h("span", {}, t("status.key")), key),
          h("button", {}, t("key.use")),
          held,
          h("p", { class: "muted" }, t("key.memory")),
          h("p", {}, h("a", { href: "docs" }, t("status.docs"))),
        ),
      ),
      code.element,
    ],
    shown,
  };
}
