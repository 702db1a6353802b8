/* The list of a channel's or a thread's messages: days, what is new, the keyboard's way through it. */

import { dayName, sameDay } from "./dates.js";
import { h } from "./dom.js";
import { messageNode } from "./message.js";
import { reconcile } from "./reconcile.js";
import { toolsFor } from "./tools.js";

const TOGETHER_SECONDS = 300;

/** Show messages in a list; `since` is what was read before, `inThread` whether they are a thread's. */
export function showMessages(
  list,
  messages,
  { seen, names, channel, since, inThread, refresh, isNews },
) {
  const items = [];
  const version = JSON.stringify([seen.users, seen.usergroups, seen.shortcuts]);
  let before = null;
  let isNewShown = false;
  for (const message of messages) {
    const isFresh =
      since !== null && Number(message.ts) > Number(since) && message.user !== names.me;
    if (!before || !sameDay(before.ts, message.ts)) items.push(divider(message, names));
    if (isFresh && !isNewShown && before)
      items.push({
        key: `new:${since}`,
        sign: "",
        make: () => h("div", { class: "day-line new", role: "separator" }, h("span", {}, "New")),
      });
    isNewShown ||= isFresh;
    const isCompact = isTogether(before, message) && !items.at(-1).key.startsWith("new");
    const tools = toolsFor(message, {
      seen,
      names,
      channel,
      refresh,
      hasNews: isNews(message),
      inThread,
    });
    items.push({
      key: message.ts,
      sign: JSON.stringify([message, isCompact, tools.hasNews, version]),
      make: () =>
        withKeys(messageNode(message, { names, tools, isCompact, inThread }), tools, inThread),
    });
    before = message;
  }
  reconcile(list, items);
  oneStop(list);
}

function divider(message, names) {
  const words = dayName(message.ts, names.now);
  return {
    key: `day:${new Date(message.ts * 1000).toDateString()}`,
    sign: words,
    make: () => h("div", { class: "day-line", role: "separator" }, h("span", {}, words)),
  };
}

const isTogether = (before, message) =>
  Boolean(before) &&
  before.user === message.user &&
  !before.whisper &&
  !message.whisper &&
  !before.reply_count &&
  message.ts - before.ts < TOGETHER_SECONDS &&
  isTyped(before) &&
  isTyped(message);

const isTyped = (message) => !message.blocks?.some((block) => block.type !== "rich_text");

/* One message of a list can be reached by Tab, the others from it by the arrows. */
function oneStop(list) {
  const all = [...list.querySelectorAll(".message")];
  if (!all.some((node) => node.tabIndex === 0) && all.length) all.at(-1).tabIndex = 0;
}

function withKeys(node, tools, inThread) {
  node.addEventListener("focus", () => {
    for (const other of node.parentElement.querySelectorAll(".message"))
      other.tabIndex = other === node ? 0 : -1;
  });
  node.addEventListener("keydown", (event) => {
    if (event.target !== node) return;
    const all = [...node.parentElement.querySelectorAll(".message")];
    const beside = {
      ArrowUp: all[all.indexOf(node) - 1],
      ArrowDown: all[all.indexOf(node) + 1],
      Home: all[0],
      End: all.at(-1),
    };
    const at = (name) => node.querySelector(`[data-key="${name}"]`);
    if (event.key in beside) beside[event.key]?.focus();
    else if (event.key === "Enter" && !inThread) tools.openThread();
    else if (event.key === "r" && at("tool-react")) tools.pickReaction(at("tool-react"));
    else if (event.key === "m" && at("tool-more")) tools.more(at("tool-more"));
    else if (event.key === "e" && tools.edit) tools.edit();
    else return;
    event.preventDefault();
  });
  return node;
}
