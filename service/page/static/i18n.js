// The language of the page, and how numbers are written in it.

import de from "./texts/de.js";
import en from "./texts/en.js";

export const LANGUAGES = { de, en };

let language = "en";

/** Chooses a language: what was chosen before, else what the browser prefers. */
export function startLanguage() {
  const wanted = new URLSearchParams(location.search).get("lang") ?? localStorage.getItem("language");
  const preferred = [wanted, ...navigator.languages.map((name) => name.slice(0, 2))];
  useLanguage(preferred.find((name) => name in LANGUAGES) ?? "en");
}

export function useLanguage(name) {
  language = name;
  document.documentElement.lang = name;
}

export function currentLanguage() {
  return language;
}

/** The text of a key; `{name}` in it is replaced. */
export function t(key, values = {}) {
  return LANGUAGES[language][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** A number with so many decimals. */
export function number(value, decimals = 1) {
  return value.toLocaleString(language, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** `8.4 s` */
export function seconds(value, decimals = 1) {
  return `${number(value, decimals)} s`;
}

/** `92 %` */
export function percent(share, decimals = 0) {
  return `${number(100 * share, decimals)} %`;
}

/** A probability, which is never quite 0 or 1. */
export function chance(probability) {
  if (probability > 0.99) return `> ${percent(0.99)}`;
  return probability < 0.01 ? `< ${percent(0.01)}` : percent(probability);
}

/** `Arabic` for `ar` */
export function languageName(tag) {
  return new Intl.DisplayNames([language], { type: "language" }).of(tag);
}

/** A date, short. */
export function day(iso) {
  return new Date(iso).toLocaleDateString(region(), { dateStyle: "medium" });
}

/** A date and time, short. */
export function moment(iso) {
  return new Date(iso).toLocaleString(region(), { dateStyle: "medium", timeStyle: "short" });
}

/** The language as the browser prefers it: `en-GB` for `en`. */
function region() {
  return navigator.languages.find((name) => name.startsWith(language)) ?? language;
}
