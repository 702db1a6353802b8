/* Short notes at the edge of the page, read aloud as they appear. */

import { button, fill, h } from "./dom.js";
import { icon } from "./icons.js";

const SECONDS = 8;

/** Tell something; an error is read out at once. */
export function tell(words, { isError = false } = {}) {
  const region = document.getElementById(isError ? "errors" : "notes");
  const note = h(
    "div",
    { class: isError ? "toast error" : "toast" },
    h("span", {}, words),
    button("Dismiss", () => note.remove(), { class: "plain" }, icon("close")),
  );
  fill(region, note);
  setTimeout(() => note.remove(), SECONDS * 1000);
}

/** Tell why something could not be done: in the open form where there is one, as nothing else is seen then. */
export function tellError(error) {
  const room = document.querySelector("#modal[open] .form-error");
  if (room) fill(room, icon("warn"), h("span", {}, error.message));
  else tell(error.message, { isError: true });
}
