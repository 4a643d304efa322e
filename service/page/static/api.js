// Calls of the service. The key is kept here, in memory alone.

let key = "";

/** Tells when a call was refused for want of a key, or when a key was given. */
export const access = new EventTarget();

export function useKey(value) {
  key = value.trim();
  access.dispatchEvent(new Event("key"));
}

export function hasKey() {
  return key !== "";
}

/** An answer that is a problem document (RFC 9457). */
export class Problem extends Error {
  constructor(status, document) {
    super(document.detail);
    this.status = status;
    this.title = document.title;
    this.code = document.code;
  }
}

/**
 * One call: `{ method, path, query, fields, files, accept }`; fields and files are lists of [name, value].
 * Answers the Response. Throws a Problem, or a TypeError if the service cannot be reached.
 */
export async function call({ method = "GET", path, query = {}, fields = [], files = [], json, accept }, signal) {
  const url = new URL(path.slice(1), document.baseURI);
  for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value);
  const headers = {};
  if (key) headers.Authorization = `Bearer ${key}`;
  if (accept) headers.Accept = accept;
  let body;
  if (files.length || fields.length) {
    body = new FormData();
    for (const [name, value] of fields) body.append(name, value);
    for (const [name, file] of files) body.append(name, file, file.name);
  } else if (json !== undefined) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(json);
  }
  const answer = await fetch(url, { method, headers, body, signal });
  if (answer.ok) return answer;
  if (answer.status === 401) access.dispatchEvent(new Event("needed"));
  const document_ = await answer.json().catch(() => ({ title: answer.statusText, detail: "", code: "" }));
  throw new Problem(answer.status, document_);
}

/** The same, and the JSON of the answer. */
export async function ask(request, signal) {
  return (await call(request, signal)).json();
}

/** The data of server-sent events. EventSource cannot send a key. */
export async function* events(path, signal) {
  const answer = await call({ path, accept: "text/event-stream" }, signal);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value.replaceAll("\r\n", "\n");
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const data = block.split("\n").filter((line) => line.startsWith("data:"));
      if (data.length) yield JSON.parse(data.map((line) => line.slice(5)).join("\n"));
    }
  }
}

/** A live stream. A browser can send a key with it as a subprotocol only. */
export function openStream(path, query) {
  const url = new URL(path.slice(1), document.baseURI);
  url.protocol = url.protocol.replace("http", "ws");
  for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value);
  return new WebSocket(url, key ? ["twofold", `bearer.${key}`] : ["twofold"]);
}
