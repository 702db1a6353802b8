/* Where a person writes: Enter sends, Shift+Enter is a new line, `/` and `@` suggest, files can be added. */

import { act } from "./api.js";
import { button, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { picked, chosenFiles } from "./picking.js";
import { toEnd } from "./reconcile.js";
import { suggesting } from "./suggest.js";
import { tellError } from "./toast.js";
import { typed } from "./typed.js";
import { wire } from "./wire.js";

const drafts = new Map();

/** A composer for a place or thread; `context()` gives {seen, names, refresh}. */
export function composer({ me, channel, thread, placeholder, context }) {
  const draft = `${me}/${channel}/${thread ?? ""}`;
  const field = h("textarea", {
    rows: 1,
    placeholder,
    "aria-label": placeholder,
    data: { key: "composer" },
  });
  const told = h("div", { class: "field-error", role: "alert" });
  const files = chosenFiles();
  const form = h(
    "form",
    { class: "composer", data: { form: thread ? "thread-composer" : "composer" } },
    files.chips,
    field,
    h(
      "div",
      { class: "composer-tools" },
      files.opener,
      files.input,
      h("span", { class: "quiet keys" }, "Enter sends, Shift+Enter is a new line"),
      button("Send", () => form.requestSubmit(), { class: "send" }, icon("send")),
    ),
    told,
  );
  const grow = () => {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight + 2, 240)}px`;
  };
  const enter = (text) => {
    field.value = text;
    drafts.set(draft, text);
    grow();
  };
  const suggestions = suggesting(field, {
    context,
    inThread: Boolean(thread),
    changed: () => enter(field.value),
  });
  field.addEventListener("input", () => {
    fill(told);
    enter(field.value);
  });
  field.addEventListener("keydown", (event) => {
    if (suggestions.keyed(event)) return;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  field.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) files.add(event.clipboardData.files);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send();
  });

  async function send() {
    suggestions.close();
    const text = field.value.trim();
    if (!text && !files.any()) return;
    const request = asked(text, { me, channel, thread, context });
    if (request.refused) return fill(told, request.refused);
    const attached = await picked(files.take());
    enter("");
    form.setAttribute("aria-busy", "true");
    try {
      await act(
        request.name,
        attached.length ? { ...request.given, files: attached } : request.given,
      );
    } catch (error) {
      if (!field.value) enter(text);
      if (request.name === "slash") fill(told, `${request.given.command} failed. ${error.message}`);
      else tellError(error);
    }
    form.removeAttribute("aria-busy");
    await context().refresh();
    toEnd(form.parentElement.querySelector("[data-scrolls]"));
  }

  requestAnimationFrame(() => enter(drafts.get(draft) ?? ""));
  return form;
}

/* What is asked of the stand-in, or why Slack would not do it. */
function asked(text, { me, channel, thread, context }) {
  const { seen, names } = context();
  const command = /^\/(\S+)\s*([\s\S]*)$/.exec(text);
  if (!command) {
    const words = { text: wire(text, names), blocks: typed(text, names) };
    const given = { user: me, ...words, ...(thread && { thread_ts: thread }) };
    return channel.startsWith("D")
      ? { name: "direct", given }
      : { name: "reply", given: { ...given, channel } };
  }
  const name = `/${command[1]}`;
  if (!seen.commands.some((known) => known.command === name))
    return {
      refused: `${name} is not a command of this app. To send it as words, begin with a space.`,
    };
  if (thread)
    return {
      refused: `${name} is not supported in threads. Use it in the channel, or a button or shortcut here.`,
    };
  return { name: "slash", given: { user: me, channel, command: name, text: command[2] } };
}
