// The frame around the panels: header, choice of panel, language, colours, state of the service.

import { access, ask, useKey } from "./api.js";
import { h, svg } from "./dom.js";
import { facts } from "./facts.js";
import { currentLanguage, LANGUAGES, startLanguage, t, useLanguage } from "./i18n.js";

const PANELS = ["enrol", "identify", "conversation", "live", "gallery", "finetune", "generate", "status"];
const THEMES = ["light", "dark"];
let panels = {}; // those that were shown, so that their recordings stay

function start() {
  startLanguage();
  useTheme(localStorage.getItem("theme"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tellTheme);
  window.addEventListener("hashchange", showPanel);
  access.addEventListener("needed", () => (document.getElementById("key-notice").hidden = false));
  access.addEventListener("key", () => (document.getElementById("key-notice").hidden = true));
  build();
}

function build() {
  panels = {};
  const links = PANELS.map((name) =>
    h("li", {}, h("a", { href: `#${name}`, onclick: (event) => go(event, name) }, t(`${name}.tab`))),
  );
  document.body.replaceChildren(
    h("a", { class: "skip", href: "#main", onclick: toMain }, t("app.skip")),
    h(
      "header",
      {},
      h("div", { class: "brand" }, logo(), h("span", {}, "Twofold")),
      h("nav", { "aria-label": t("app.panels") }, h("ul", {}, links)),
      h("div", { class: "tools" }, state(), languageButton(), themeButton()),
    ),
    h("main", { id: "main", tabindex: "-1" }, keyNotice(), h("div", { id: "panel" })),
  );
  showPanel();
  refreshState();
}

/** `base` makes a plain `#name` a link to another page where the address has a query. */
function go(event, name) {
  event.preventDefault();
  location.hash = name;
}

function toMain(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

async function showPanel() {
  const wanted = location.hash.slice(1);
  const name = PANELS.includes(wanted) ? wanted : PANELS[0];
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${t(`${name}.tab`)} · Twofold`;
  const { default: make } = await import(`./panels/${name}.js`);
  if (location.hash.slice(1) !== wanted) return; // another was chosen while this one was loaded
  panels[name] ??= frame(name, make());
  document.getElementById("panel").replaceChildren(panels[name].whole);
  panels[name].shown?.();
}

function frame(name, panel) {
  const whole = h(
    "section",
    { class: `panel ${name}`, "aria-labelledby": "title" },
    h("h1", { id: "title" }, t(`${name}.title`)),
    h("p", { class: "lead" }, t(`${name}.lead`)),
    panel.element,
  );
  return { ...panel, whole };
}

function logo() {
  return svg(
    "svg",
    { viewBox: "0 0 32 32", "aria-hidden": "true", class: "logo" },
    svg("path", { d: "M3 16c3.5-13 9.5-13 13 0s9.5 13 13 0" }),
    svg("path", { d: "M3 16c3.5 13 9.5 13 13 0s9.5-13 13 0" }),
  );
}

function state() {
  return h("a", { class: "state", href: "#status", onclick: (event) => go(event, "status") }, h("span", { id: "state" }, "…"));
}

async function refreshState() {
  const place = document.getElementById("state");
  try {
    const { model } = await ask({ path: "/readyz" });
    place.textContent = model;
    place.className = "ready";
  } catch {
    place.textContent = t("app.notready");
    place.className = "waiting";
    setTimeout(refreshState, 2000);
  }
}
document.addEventListener("modelchange", refreshState);

function languageButton() {
  const other = Object.keys(LANGUAGES).find((name) => name !== currentLanguage());
  const change = () => {
    localStorage.setItem("language", other);
    useLanguage(other);
    build();
  };
  return h("button", { type: "button", class: "quiet", lang: other, onclick: change }, LANGUAGES[other]["app.language"]);
}

function themeButton() {
  return h("button", { type: "button", class: "quiet theme", "aria-label": t("app.theme"), onclick: turn }, "◐");
}

function turn() {
  const dark = colourScheme() === "dark";
  const next = dark ? "light" : "dark";
  localStorage.setItem("theme", next);
  useTheme(next);
}

function colourScheme() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

function useTheme(name) {
  if (THEMES.includes(name)) document.documentElement.dataset.theme = name;
  tellTheme();
}

/** Canvases are drawn again in the other colours. */
function tellTheme() {
  document.dispatchEvent(new Event("themechange"));
}

function keyNotice() {
  const input = h("input", { type: "password", autocomplete: "off", required: true, name: "key" });
  const use = (event) => {
    event.preventDefault();
    useKey(input.value);
    panels = {};
    showPanel();
  };
  return h(
    "form",
    { id: "key-notice", class: "notice warning", hidden: !facts.needs_key, onsubmit: use },
    h("label", { class: "field" }, h("span", {}, t("key.needed")), input),
    h("button", { class: "primary" }, t("key.use")),
    h("p", { class: "muted" }, t("key.memory")),
  );
}

start();
