// Live: the name of who speaks, as they speak.

import { openStream, Problem } from "../api.js";
import { openMicrophone, pcm16 } from "../audio/microphone.js";
import { canRecord } from "../audio/recorder.js";
import { codeLines } from "../code.js";
import { h } from "../dom.js";
import { number, seconds, t } from "../i18n.js";
import { candidateBars } from "../widgets/candidates.js";
import { conversation } from "../widgets/conversation.js";
import { errorBox, warnings } from "../widgets/report.js";

const STRIP = 120; // half seconds that are shown
const COLOURS = 6;

export default function livePanel() {
  const name = h("strong", {}, t("live.idle"));
  const detail = h("span", { class: "muted" }, t("live.hint"));
  const now = h("div", { class: "now", role: "status" }, name, detail);
  const meter = h("span", { class: "meter-fill" });
  const strip = h("div", { class: "strip", "aria-hidden": "true" });
  const bars = h("div", {});
  const answer = h("div", { class: "answer", "aria-live": "polite" });
  const button = h("button", { type: "button", class: "record", disabled: !canRecord(), onclick: toggle }, t("live.start"));
  const colours = new Map(); // speaker_id → a colour of style.css
  const code = codeLines();
  let socket = null;

  function toggle() {
    if (socket) socket.send(JSON.stringify({ event: "end" }));
    else start();
  }

  async function start() {
    button.disabled = true;
    let microphone;
    try {
      microphone = await openMicrophone();
    } catch (error) {
      detail.textContent = t(error.name === "NotFoundError" ? "source.nomicrophone" : "source.refused");
      button.disabled = false;
      return;
    }
    const chunks = [];
    answer.replaceChildren();
    strip.replaceChildren();
    socket = openStream("/listen", { sample_rate_hz: microphone.rate });
    socket.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      if (event.event === "ready") {
        button.disabled = false;
        button.textContent = t("live.stop");
        button.classList.add("recording");
        microphone.listen((samples) => {
          chunks.push(samples);
          if (socket?.readyState === WebSocket.OPEN) socket.send(pcm16(samples));
        });
      } else if (event.event === "now") show(event);
      else if (event.event === "end") whole(event.diarization, chunks, microphone.rate);
      else if (event.event === "problem") answer.replaceChildren(errorBox(new Problem(event.status, event)));
    };
    socket.onclose = async ({ wasClean }) => {
      if (!wasClean && !answer.childElementCount) answer.replaceChildren(errorBox(new Error("the stream was cut off")));
      socket = null;
      await microphone.stop();
      button.disabled = false;
      button.textContent = t("live.start");
      button.classList.remove("recording");
      say(t("live.idle"), "");
    };
  }

  function say(words, more, colour = "--line") {
    if (name.textContent !== words) name.textContent = words; // a screen reader hears changes alone
    detail.textContent = more;
    now.style.setProperty("--colour", `var(${colour})`);
  }

  function show({ speech, speaker, unknown, speech_s, level_dbfs, at_s, threshold, candidates }) {
    const colour = speaker ? colourOf(speaker.speaker_id) : unknown ? "--unknown" : "--line";
    const time = seconds(at_s, 0);
    if (speaker) say(speaker.name ?? speaker.speaker_id, `${time} · ${t("audio.speech")} ${number(speech_s)} s`, colour);
    else if (unknown) say(t("live.unknown"), time, colour);
    else say(t(speech ? "live.wait" : "live.silence"), time);
    meter.style.setProperty("--level", level_dbfs === null ? 0 : Math.max(0, 1 + level_dbfs / 60));
    strip.append(h("span", { vars: { "--colour": `var(${colour})` } }));
    while (strip.childElementCount > STRIP) strip.firstElementChild.remove();
    bars.replaceChildren(...(candidates.length ? [candidateBars({ candidates, threshold })] : []));
  }

  function colourOf(speaker_id) {
    if (!colours.has(speaker_id)) colours.set(speaker_id, `--voice-${colours.size % COLOURS}`);
    return colours.get(speaker_id);
  }

  /** The diarization of all that was said, with the sound that this page recorded meanwhile. */
  function whole(diarization, chunks, rate) {
    const samples = new Float32Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    let at = 0;
    for (const chunk of chunks) {
      samples.set(chunk, at);
      at += chunk.length;
    }
    const sound = samples.length ? { samples, rate, seconds: samples.length / rate } : null;
    answer.replaceChildren(...[conversation(diarization, sound, { name: t("live.sound") }), warnings(diarization.warnings)].filter(Boolean));
  }

  return {
    element: [
      h("div", { class: "row" }, button),
      canRecord() ? null : h("p", { class: "muted" }, t("source.insecure")),
      h("div", { class: "columns" }, h("div", { class: "stack" }, now, h("div", { class: "meter", "aria-hidden": "true" }, meter), strip), bars),
      answer,
      code.element,
    ],
    shown: () => code.show({ stream: "/listen" }),
  };
}
