/* What a person does with the elements of messages, modals and Home, on its way to the app. */

import { act } from "./api.js";
import { ask, enlarge } from "./dialog.js";
import { tellError } from "./toast.js";

/* One thing after the other: a button must not overtake what was entered before it was pressed. */
let last = Promise.resolve();
const inOrder = (work) => {
  last = last.then(work).catch(tellError);
};

/** Tell the app of what happens inside `root`; `where(node)` says in what it happened.
 *  `context()` gives {me, names, refresh}. */
export function listen(root, where, context) {
  root.addEventListener("act", (event) =>
    inOrder(() => told(event.detail, where(event.target), context())),
  );
  root.addEventListener("change", (event) => {
    const field = event.target.closest(".block.input [data-entry]");
    if (field) inOrder(() => entered(field, where(field), context()));
  });
  root.addEventListener("click", (event) => {
    const picture = event.target.closest(".enlarge")?.querySelector("img");
    if (picture) enlarge(picture);
  });
}

async function told(done, where, { me, names, refresh }) {
  const { element, busy, undo, counted } = done;
  if (element.confirm && !(await ask(element.confirm, names))) {
    undo?.();
    return;
  }
  busy?.setAttribute("aria-busy", "true");
  try {
    await act(...request(done, where, me));
    counted?.();
  } catch (error) {
    undo?.();
    tellError(error);
  } finally {
    busy?.removeAttribute("aria-busy");
    await refresh();
  }
}

/* A form's field: Slack keeps what is entered, and tells the app where the block asks for it. */
async function entered(field, where, { me, refresh }) {
  const given = { user: me, action_id: field.dataset.entry, option: field.entry(), ...where };
  try {
    const { dispatched } = await act("choose", given);
    if (dispatched !== false) await refresh();
  } catch (error) {
    if (error.code === "not_acknowledged") tellError(error);
  }
}

function request({ kind, action, value }, where, me) {
  const given = { user: me, action_id: action, ...where };
  const isMessage = "ts" in where;
  if (kind === "choose") return ["choose", { ...given, option: value }];
  if (kind === "feedback" && isMessage) return ["feedback", { ...given, value }];
  return [isMessage ? "click" : "press", { ...given, value: value ?? null }];
}
