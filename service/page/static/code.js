// A call as lines that do the same in a shell and in Python.

import { hasKey } from "./api.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";

const base = () => document.baseURI.replace(/\/$/, "");
const shell = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
const python = (text) => JSON.stringify(String(text));

function curl({ method = "GET", path, query = {}, fields = [], files = [], json, accept, output }) {
  const parts = ["curl"];
  if (hasKey()) parts.push('-H "Authorization: Bearer $KEY"');
  if (accept) parts.push(`-H ${shell(`Accept: ${accept}`)}`);
  for (const [name, file] of files) parts.push(`-F ${shell(`${name}=@${file.name}`)}`);
  for (const [name, value] of fields) parts.push(`-F ${shell(`${name}=${value}`)}`);
  if (json !== undefined) parts.push(`--json ${shell(JSON.stringify(json))}`);
  const implied = files.length || fields.length || json !== undefined ? "POST" : "GET";
  if (method !== implied) parts.push(`-X ${method}`);
  if (output) parts.push(`-o ${output}`);
  const search = new URLSearchParams(query).toString();
  parts.push(shell(`${base()}${path}${search ? `?${search}` : ""}`));
  return parts.join(" ");
}

/** In Python the key is read from the environment, as in the shell. */
const imports = (module) => [...(hasKey() ? ["import os"] : []), `import ${module}`];
const keyOf = (argument) => (hasKey() ? `, ${argument}={"Authorization": "Bearer " + os.environ["KEY"]}` : "");

function httpx({ method = "GET", path, query = {}, fields = [], files = [], json, accept, output }) {
  const call = [python(path)];
  if (Object.keys(query).length) call.push(`params=${JSON.stringify(query)}`);
  if (files.length) {
    const list = files.map(([name, file]) => `(${python(name)}, open(${python(file.name)}, "rb"))`);
    call.push(`files=[${list.join(", ")}]`);
  }
  if (fields.length) {
    const grouped = new Map();
    for (const [name, value] of fields) grouped.set(name, [...(grouped.get(name) ?? []), python(value)]);
    const pairs = [...grouped].map(([name, v]) => `${python(name)}: ${v.length > 1 ? `[${v.join(", ")}]` : v[0]}`);
    call.push(`data={${pairs.join(", ")}}`);
  }
  if (json !== undefined) call.push(`json=${JSON.stringify(json)}`);
  if (accept) call.push(`headers={"Accept": ${python(accept)}}`);
  const client = `client = httpx.Client(base_url=${python(base())}, timeout=60${keyOf("headers")})`;
  const last = output ? `open(${python(output)}, "wb").write(answer.content)` : "print(answer.json())";
  const verb = `answer = client.${method.toLowerCase()}(${call.join(", ")})`;
  return [...imports("httpx"), "", client, verb, method === "DELETE" ? "print(answer.status_code)" : last].join("\n");
}

/** A live stream: sound goes in as raw samples, half a second for each event. */
function streamShell({ stream }) {
  const key = hasKey() ? '-H "Authorization: Bearer $KEY" ' : "";
  const url = base().replace(/^http/, "ws") + stream;
  return `ffmpeg -f pulse -i default -f s16le -ar 16000 -ac 1 - | websocat --binary ${key}${url}`;
}

function streamPython({ stream }) {
  return [
    ...imports("sys"),
    "from websockets.sync.client import connect",
    "",
    `with connect(${python(base().replace(/^http/, "ws") + stream)}${keyOf("additional_headers")}) as live:`,
    "    print(live.recv())  # ready",
    "    while sound := sys.stdin.buffer.read(16384):  # 0.512 s of 16-bit samples at 16 kHz",
    "        live.send(sound)",
    "        print(live.recv())",
  ].join("\n");
}

/** The lines of a call, and a way to show another: `{ element, show(request) }`. `{ stream }` is a live stream. */
export function codeLines() {
  const calls = { curl, Python: httpx };
  const streams = { curl: streamShell, Python: streamPython };
  let request = null;
  let chosen = "curl";
  const text = h("pre", { tabindex: "0", "aria-label": t("code.label") });
  const buttons = Object.keys(calls).map((name) =>
    h("button", { type: "button", class: "quiet", onclick: () => choose(name) }, name),
  );
  const copy = h("button", { type: "button", class: "quiet", onclick: () => copyText() }, t("code.copy"));
  const element = h("section", { class: "code", "aria-label": t("code.label") });
  element.append(h("div", { class: "code-head" }, h("span", {}, t("code.title")), buttons, copy), text);

  function choose(name) {
    chosen = name;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.textContent === name));
    text.textContent = request ? (request.stream ? streams : calls)[name](request) : "";
  }
  async function copyText() {
    await navigator.clipboard.writeText(text.textContent);
    copy.textContent = t("code.copied");
    setTimeout(() => (copy.textContent = t("code.copy")), 1500);
  }
  choose(chosen);
  return {
    element,
    show(next) {
      request = next;
      choose(chosen);
    },
  };
}
