/* Dialogs over the page: the browser keeps the focus inside and gives it back; Escape closes. */

import { button, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { rememberFocus } from "./focus.js";
import { textObject } from "./mrkdwn.js";

/** Open a dialog; `closing` is asked when its person wants to leave. Focus goes back where it was. */
export function openDialog(dialog, closing) {
  const giveBack = rememberFocus();
  dialog.oncancel = (event) => {
    if (event.target !== dialog) return;
    event.preventDefault();
    closing();
  };
  dialog.onclose = () => giveBack();
  if (!dialog.open) dialog.showModal();
}

/** Ask before something counts; `confirm` is Slack's confirm object. Answers whether it may. */
export function ask(confirm, names) {
  const dialog = h("dialog", { class: "confirm", "aria-labelledby": "ask-title" });
  document.body.append(dialog);
  return new Promise((resolve) => {
    const answer = (may) => {
      dialog.close();
      dialog.remove();
      resolve(may);
    };
    fill(
      dialog,
      h("h2", { id: "ask-title" }, ...textObject(confirm.title, names)),
      h("div", { class: "words" }, ...textObject(confirm.text, names)),
      h(
        "div",
        { class: "choices" },
        button(confirm.deny?.text || "Cancel", () => answer(false), { class: "kit-button" }),
        button(confirm.confirm?.text || "Yes", () => answer(true), {
          class: `kit-button ${confirm.style === "danger" ? "danger" : "primary"}`,
          autofocus: true,
        }),
      ),
    );
    openDialog(dialog, () => answer(false));
  });
}

/** Show a picture in full, with its words. */
export function enlarge(picture) {
  const dialog = h("dialog", { class: "lightbox", "aria-label": picture.alt || "Image" });
  document.body.append(dialog);
  const close = () => {
    dialog.close();
    dialog.remove();
  };
  fill(
    dialog,
    button("Close", close, { class: "plain" }, icon("close")),
    h("img", { src: picture.src, alt: picture.alt }),
    picture.alt && h("p", {}, picture.alt),
  );
  openDialog(dialog, close);
}
