// Candidates as bars.

import { h } from "../dom.js";
import { chance, number, t } from "../i18n.js";

/** A bar for each candidate; the threshold is a line across all of them. */
export function candidateBars({ candidates, threshold }) {
  const rows = candidates.map(({ speaker_id, name, score, probability }) =>
    h(
      "tr",
      { class: score >= threshold ? "accepted" : "" },
      h("th", { scope: "row" }, name ?? speaker_id),
      h("td", { class: "score-track" }, h("span", { class: "score-bar", vars: { "--score": Math.max(0, score) } })),
      h("td", { class: "figure" }, number(score, 2)),
      h("td", { class: "figure" }, chance(probability)),
    ),
  );
  return h(
    "table",
    { class: "scores", vars: { "--threshold": Math.max(0, Math.min(1, threshold)) } },
    h("caption", {}, t("identify.caption", { threshold: number(threshold, 2) })),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, t("identify.candidate")),
        h("th", { scope: "col", class: "wide" }, t("identify.bar")),
        h("th", { scope: "col", class: "figure" }, t("identify.score")),
        h("th", { scope: "col", class: "figure" }, t("identify.probability")),
      ),
    ),
    h("tbody", {}, rows),
  );
}
