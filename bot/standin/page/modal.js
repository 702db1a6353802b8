/* The modal that the app has opened: the top of its stack, its form, and what becomes of it. */

import { act, Refused } from "./api.js";
import { rendered } from "./blocks.js";
import { openDialog } from "./dialog.js";
import { button, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { worded } from "./emoji.js";
import { rememberFocus } from "./focus.js";
import { closeMenu } from "./menu.js";
import { keepVotes } from "./reconcile.js";
import { tellError } from "./toast.js";

/** The one modal of the page; `context()` gives {me, names, refresh}. */
export function modalIn(dialog, context) {
  let shown = null;

  /** Show the view on top of a stack with so many below it, or nothing where there is none. */
  function show({ view, below, entered: kept }) {
    if (!view) {
      if (dialog.open) dialog.close();
      shown = null;
      return;
    }
    if (shown?.id === view.id && shown.hash === view.hash) return;
    const entered = shown?.id === view.id ? entries(dialog) : draftOf(kept);
    const isFilling =
      shown?.id === view.id && document.activeElement.closest(".modal-body [data-key]");
    const giveBack = isFilling ? rememberFocus() : focusFirst;
    closeMenu();
    const before = dialog.firstElementChild;
    draw(view, below > 0);
    if (before && shown?.id === view.id) keepVotes(before, dialog);
    restore(dialog, entered);
    shown = view;
    if (!dialog.open) openDialog(dialog, () => void close());
    giveBack();
  }

  function focusFirst() {
    const first =
      dialog.querySelector("[data-entry]") ??
      dialog.querySelector(".primary") ??
      dialog.querySelector(".close");
    (first.matches("div, details") ? first.querySelector("input, summary") : first)?.focus();
  }

  function draw(view, isPushed) {
    const { names } = context();
    dialog.dataset.view = view.id;
    dialog.dataset.callback = view.callback_id;
    dialog.setAttribute("aria-labelledby", "modal-title");
    const form = h(
      "form",
      { data: { form: "modal" }, novalidate: true },
      ...frame(view, isPushed, names),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void submit(view, form);
    });
    fill(dialog, form);
  }

  function frame(view, isPushed, names) {
    return [
      h(
        "div",
        { class: "modal-head" },
        isPushed && button("Back", () => void close(), { class: "plain" }, icon("back")),
        h("h2", { id: "modal-title" }, worded(view.title)),
        button(
          "Close",
          () => void close(true),
          { class: "plain close", data: { key: "close" } },
          icon("close"),
        ),
      ),
      h("div", { class: "modal-body", tabindex: "-1" }, ...rendered(view.blocks, names)),
      h("p", { class: "form-error", role: "alert" }),
      h(
        "div",
        { class: "modal-foot" },
        button(worded(view.close) || "Cancel", () => void close(), {
          class: "kit-button",
          data: { key: "cancel" },
        }),
        view.submit &&
          h(
            "button",
            { type: "submit", class: "kit-button primary", data: { key: "submit" } },
            worded(view.submit),
          ),
      ),
    ];
  }

  async function submit(view, form) {
    const { me, refresh } = context();
    if (form.getAttribute("aria-busy") === "true" || !isComplete(view, form)) return;
    clearErrors(form);
    setBusy(form, true);
    try {
      const answer = await act("submit", { user: me, values: entries(form), view_id: view.id });
      showErrors(form, answer.errors ?? {});
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      fill(form.querySelector(".form-error"), icon("warn"), error.message);
    } finally {
      setBusy(form, false);
      await refresh();
    }
  }

  async function close(wholeStack = false) {
    const { me, refresh } = context();
    try {
      await act("close", { user: me, whole_stack: wholeStack });
    } catch (error) {
      if (error.code !== "no_open_view") tellError(error);
    }
    await refresh();
  }

  return { show };
}

const inputs = (root) => [...root.querySelectorAll(".block.input [data-entry]")];
const entries = (root) =>
  Object.fromEntries(inputs(root).map((input) => [input.dataset.entry, input.entry()]));

/* Slack keeps what was entered in the fields that an updated view still has. */
function restore(root, entered) {
  for (const input of inputs(root))
    if (input.dataset.entry in entered) input.enter(entered[input.dataset.entry]);
}

/* What the stand-in keeps of what was entered before, by action: block to action to state. */
const draftOf = (kept) =>
  Object.fromEntries(
    Object.values(kept).flatMap((actions) =>
      Object.entries(actions).map(([action, { type, ...state }]) => [
        action,
        valueOf(Object.values(state)[0]),
      ]),
    ),
  );
const valueOf = (entered) =>
  Array.isArray(entered) ? entered.map(valueOf) : (entered?.value ?? entered);

const isEmpty = (entry) =>
  entry === null || entry === "" || (Array.isArray(entry) && entry.length === 0);

/* What Slack's client checks before it asks the app. */
function isComplete(view, form) {
  const missing = {};
  for (const block of view.blocks) {
    const control =
      block.type === "input" &&
      form.querySelector(`[data-block="${CSS.escape(block.block_id)}"] [data-entry]`);
    if (!control) continue;
    if (!block.optional && isEmpty(control.entry()))
      missing[block.block_id] = "Please complete this required field.";
    else if (control.validity && !control.validity.valid)
      missing[block.block_id] = control.validationMessage;
  }
  clearErrors(form);
  showErrors(form, missing);
  return Object.keys(missing).length === 0;
}

function showErrors(form, errors) {
  for (const [block, words] of Object.entries(errors)) {
    const place = form.querySelector(`[data-block="${CSS.escape(block)}"]`);
    const room = place?.querySelector(".field-error") ?? form.querySelector(".form-error");
    fill(room, icon("warn"), h("span", {}, words));
    place?.querySelector("[data-entry]")?.setAttribute("aria-invalid", "true");
  }
  const first = form.querySelector("[aria-invalid]");
  (first?.matches("div, details") ? first.querySelector("summary, input") : first)?.focus();
}

function clearErrors(form) {
  for (const room of form.querySelectorAll(".field-error, .form-error")) fill(room);
  for (const control of form.querySelectorAll("[aria-invalid]"))
    control.removeAttribute("aria-invalid");
}

function setBusy(form, isBusy) {
  form.setAttribute("aria-busy", String(isBusy));
  const submit = form.querySelector("[type=submit]");
  if (submit) submit.disabled = isBusy;
}
