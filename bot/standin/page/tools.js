/* What a person can do with a message: react, open its thread, the app's shortcuts, edit, delete. */

import { act } from "./api.js";
import { ask } from "./dialog.js";
import { decoded } from "./mrkdwn.js";
import { emoji, OFFERED } from "./emoji.js";
import { button, fill, h } from "./dom.js";
import { openMenu } from "./menu.js";
import { dismiss } from "./reading.js";
import { go } from "./route.js";
import { tell, tellError } from "./toast.js";
import { typed } from "./typed.js";
import { wire } from "./wire.js";

/** The tools of one message; `seen` is what its person sees now. */
export function toolsFor(message, { seen, names, channel, refresh, hasNews, inThread }) {
  const target = { user: names.me, channel, ts: message.ts };
  const doing = async (name, more = {}) => {
    try {
      await act(name, { ...target, ...more });
    } catch (error) {
      if (!["already_reacted", "no_reaction"].includes(error.code)) tellError(error);
    }
    await refresh();
  };
  const react = (name, isMine) => doing(isMine ? "unreact" : "react", { name });
  const pickReaction = (opener) =>
    openMenu(
      opener,
      OFFERED.map((name) => ({
        label: name.replaceAll("_", " "),
        shown: emoji(name),
        chosen: () =>
          react(name, message.reactions?.some((r) => r.name === name && r.users.includes(names.me))),
      })),
      { grid: true, label: "Emoji" },
    );
  const openThread = () => go({ thread: message.thread_ts ?? message.ts });
  const isMine = message.user === names.me && !message.bot_id;
  const items = [
    !inThread && { label: "Reply in thread", chosen: openThread },
    ...seen.shortcuts.map((shortcut) => ({
      label: shortcut.name,
      note: `${names.app} · ${shortcut.description}`,
      chosen: () => doing("shortcut", { callback_id: shortcut.callback_id }),
    })),
    { label: "Add reaction…", chosen: (opener) => pickReaction(opener) },
    { label: "Copy link", chosen: () => copy(channel, message), divided: true },
    isMine && { label: "Edit message", chosen: () => edit(message, names, doing), divided: true },
    isMine && { label: "Delete message…", danger: true, chosen: () => remove(doing, names) },
  ].filter(Boolean);
  return {
    react,
    openThread,
    hasNews,
    dismiss: () => {
      dismiss(message);
      void refresh();
    },
    edit: isMine ? () => edit(message, names, doing) : null,
    more: (opener) => openMenu(opener, items),
    pickReaction,
  };
}

/** The address of a message, in the form that Slack gives it. */
export const permalink = (channel, ts, thread) =>
  `${location.origin}/archives/${channel}/p${ts.replace(".", "")}${thread && thread !== ts ? `?thread_ts=${thread}&cid=${channel}` : ""}`;

async function copy(channel, message) {
  const address = permalink(channel, message.ts, message.thread_ts);
  try {
    await navigator.clipboard.writeText(address);
    tell("The link is copied.");
  } catch {
    tell(address);
  }
}

async function remove(doing, names) {
  const sure = await ask(
    {
      title: { text: "Delete message" },
      text: { text: "Are you sure you want to delete this message? This cannot be undone." },
      confirm: { text: "Delete" },
      deny: { text: "Cancel" },
      style: "danger",
    },
    names,
  );
  if (sure) await doing("delete");
}

/* The words become a field in their place; Enter saves, Escape leaves them as they were. */
function edit(message, names, doing) {
  const places = document.querySelectorAll(`[data-ts="${message.ts}"]`);
  const place = [...places].find((node) => node.contains(document.activeElement)) ?? places[0];
  const content = place.querySelector(".content");
  const before = [...content.childNodes];
  const field = h("textarea", { rows: 3, "aria-label": "Edit message" });
  field.value = unwired(message.text ?? "", names);
  const cancel = () => {
    fill(content, before);
    place.focus();
  };
  const save = async () => {
    const written = field.value.trim();
    const text = wire(written, names);
    cancel();
    if (written && text !== message.text)
      await doing("edit", { text, blocks: typed(written, names) });
  };
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") cancel();
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) void save();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  fill(
    content,
    field,
    h(
      "div",
      { class: "choices" },
      button("Cancel", cancel, { class: "kit-button" }),
      button("Save", () => void save(), { class: "kit-button primary" }),
    ),
  );
  field.focus();
}

/* Slack's wire text as its author typed it. */
const unwired = (text, names) =>
  decoded(
    text
      .replace(/<@(\w+)(?:\|[^>]*)?>/g, (_, id) => `@${names.person(id) ?? id}`)
      .replace(/<#(\w+)(?:\|([^>]*))?>/g, (_, id, label) => `#${label ?? id}`)
      .replace(/<((?:https?|mailto):[^>|]+)(?:\|[^>]*)?>/g, "$1"),
  );
