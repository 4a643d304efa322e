// A question before something is done: a form in a dialog.

import { stop } from "../audio/player.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { answerPlace, showAnswer } from "./report.js";

let opened = 0;

/**
 * Opens a dialog with `content` above its buttons. `act` is awaited after `button` is pressed; then the dialog
 * closes. An error of `act` is shown inside. Without `button` there is nothing to do but to close it.
 */
export function openDialog({ title, content, button = null, danger = false, act = async () => {} }) {
  const place = answerPlace();
  const id = `dialog-${++opened}`;
  const close = h("button", { type: "button", autofocus: danger, onclick: () => box.close() }, t(button ? "dialog.cancel" : "dialog.close"));
  const go = button && h("button", { class: danger ? "danger" : "primary" }, button);
  const box = h(
    "dialog",
    { "aria-labelledby": id, onclose: closed },
    h("form", { onsubmit: submit }, h("h2", { id }, title), content, h("div", { class: "row" }, go, close), place),
  );
  document.body.append(box);
  box.showModal();

  function closed() {
    stop(); // what plays inside
    box.remove();
  }

  async function submit(event) {
    event.preventDefault();
    await showAnswer(place, async () => {
      await act();
      box.close();
    });
  }
}
