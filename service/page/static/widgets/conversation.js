// A diarization as a picture: the waveform, and a lane for each voice below it.

import { h } from "../dom.js";
import { number, seconds, t } from "../i18n.js";
import { timeline } from "./timeline.js";

const COLOURS = 6;

/**
 * The element. `sound` may be null where the browser cannot decode the recording.
 * `action(who, segments)` answers what stands beside the name of an unknown voice.
 */
export function conversation(diarization, sound, { name, action = () => null }) {
  const silent = { samples: new Float32Array(1), rate: 16000, seconds: diarization.duration_s };
  const head = h("span", { class: "take-name" }, name, h("small", {}, seconds(diarization.duration_s)));
  const line = timeline(sound ?? silent, { head });
  const colours = new Map(diarization.speakers.map(({ label }, at) => [label, `--voice-${at % COLOURS}`]));
  line.paint(diarization.segments.map((segment) => ({ ...segment, colour: colours.get(segment.label) })));
  for (const speaker of diarization.speakers) {
    const colour = colours.get(speaker.label);
    const turns = diarization.segments.filter((segment) => segment.label === speaker.label);
    const who = speaker.name ?? speaker.speaker_id ?? t("conversation.unknown", { n: speaker.label.replace(/\D/g, "") });
    const bars = turns.map((segment) => ({
      ...segment,
      colour,
      label: [who, span(segment), segment.overlap && t("conversation.overlap")].filter(Boolean).join(", "),
      kind: `${speaker.speaker_id ? "" : "unknown"} ${segment.overlap ? "overlap" : ""}`,
    }));
    const title = h("span", {}, who, " ", h("small", {}, seconds(speaker.speech_s)));
    const swatch = h("span", { class: "swatch", vars: { "--colour": `var(${colour})` } });
    line.lane([swatch, h("div", { class: "lane-name" }, title, speaker.speaker_id ? null : action(who, turns))], bars);
  }
  return line.element;
}

/** `2.8–5.2 s` */
export function span({ start_s, end_s }) {
  return `${number(start_s)}–${number(end_s)} s`;
}
