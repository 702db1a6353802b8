/* One message: who, when, words and blocks, files, reactions, replies. */

import { rendered, wordsOnly } from "./blocks.js";
import { clock, inFull, moment } from "./dates.js";
import { button, h } from "./dom.js";
import { icon } from "./icons.js";
import { emoji } from "./emoji.js";
import { attachments } from "./files.js";

/** A message as a list shows it; `tools` are what can be done with it (tools.js). */
export function messageNode(message, { names, tools, isCompact, inThread }) {
  const only =
    message.whisper &&
    h(
      "div",
      { class: "only-you" },
      icon("eye"),
      "Only visible to you",
      button("Dismiss", tools.dismiss, { class: "plain", data: { key: "dismiss" } }),
    );
  const who = author(message, names);
  return h(
    "article",
    {
      class: classes(message, isCompact),
      tabindex: "-1",
      "aria-label": `${who.name}, ${clock(message.ts)}`,
      data: { ts: message.ts, user: message.user, whisper: message.whisper ? "" : null },
    },
    only,
    isCompact
      ? h("time", { class: "gutter", title: inFull(message.ts) }, clock(message.ts))
      : avatar(who),
    h(
      "div",
      { class: "content" },
      !isCompact &&
        h(
          "div",
          { class: "who" },
          h("span", { class: "name" }, who.name),
          who.isApp && h("span", { class: "badge" }, "APP"),
          h("time", { title: inFull(message.ts) }, clock(message.ts)),
        ),
      ...body(message, names),
      ...attachments(message.files ?? []),
      reactions(message, names, tools),
      !inThread && replies(message, names, tools),
    ),
    !message.whisper && toolbar(tools, inThread),
  );
}

const classes = (message, isCompact) =>
  ["message", message.whisper && "whisper", isCompact && "compact"].filter(Boolean).join(" ");

function author(message, names) {
  const isApp = Boolean(message.bot_id || message.whisper);
  return {
    id: message.user,
    isApp,
    name:
      message.username ??
      (isApp
        ? names.app
        : (names.person(message.user) ??
          (message.user === "USLACKBOT" ? "Slackbot" : message.user))),
  };
}

/** The small square that stands for somebody. */
export function avatar({ id, name, isApp }) {
  const hue = [...String(id ?? name)].reduce(
    (sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360,
    7,
  );
  return h(
    "span",
    { class: isApp ? "avatar app" : "avatar", style: `--hue: ${hue}`, "aria-hidden": "true" },
    isApp ? "🎭" : name.slice(0, 1).toUpperCase(),
  );
}

function body(message, names) {
  const made = message.blocks?.length
    ? rendered(message.blocks, names)
    : message.text
      ? [wordsOnly(message.text, names)]
      : [];
  const isEdited = message.edited && (!message.bot_id || !message.blocks?.length);
  const end = [...(made.at(-1)?.querySelectorAll?.(".rich") ?? [])].at(-1) ?? made.at(-1);
  if (isEdited) end?.append(" ", h("span", { class: "edited" }, "(edited)"));
  return [
    ...tasks(message, names),
    ...made,
    message.streaming === "in_progress" &&
      h("span", { class: "growing", role: "img", "aria-label": "still writing" }),
  ];
}

/* What a streamed message says of its work. */
function tasks(message, names) {
  if (!message.tasks?.length) return [];
  const made = message.tasks.map((task) => ({
    type: "task_card",
    task_id: task.id,
    title: task.title ?? task.id,
    status: task.status ?? "pending",
  }));
  return message.plan_title
    ? rendered([{ type: "plan", title: message.plan_title, tasks: made }], names)
    : rendered(made, names);
}

function reactions(message, names, tools) {
  if (!message.reactions?.length) return null;
  return h(
    "div",
    { class: "reactions" },
    ...message.reactions.map((reaction) => {
      const isMine = reaction.users.includes(names.me);
      const people = reaction.users
        .map((user) => (user === names.me ? "you" : (names.person(user) ?? user)))
        .join(", ");
      return button(
        `${emoji(reaction.name)} ${reaction.count}, ${reaction.name}: ${people}`,
        () => tools.react(reaction.name, isMine),
        {
          class: "reaction",
          "aria-pressed": String(isMine),
          data: { reaction: reaction.name, key: `reaction:${reaction.name}` },
        },
        h("span", {}, emoji(reaction.name)),
        h("span", { class: "count" }, String(reaction.count)),
      );
    }),
  );
}

function replies(message, names, tools) {
  if (!message.reply_count) return null;
  const count = message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`;
  const last = message.latest_reply ? `Last reply ${moment(message.latest_reply, names.now)}` : "";
  const who = (message.reply_users ?? [])
    .slice(0, 4)
    .map((id) => avatar({ id, name: names.person(id) ?? id, isApp: id === names.bot }));
  return button(
    `${count}. ${last}. Open the thread`,
    tools.openThread,
    {
      class: tools.hasNews ? "replies unread" : "replies",
      data: { key: "replies", role: "open-thread" },
    },
    ...who,
    h("strong", {}, count),
    tools.hasNews && h("span", { class: "badge new" }, "New"),
    h("span", { class: "quiet" }, last),
  );
}

function toolbar(tools, inThread) {
  return h(
    "div",
    { class: "toolbar", role: "group", "aria-label": "Message" },
    button(
      "Add reaction",
      (event) => tools.pickReaction(event.currentTarget),
      { data: { key: "tool-react" }, "aria-haspopup": "menu" },
      icon("smile"),
    ),
    !inThread &&
      button("Reply in thread", tools.openThread, { data: { key: "tool-thread" } }, icon("reply")),
    button(
      "More actions",
      (event) => tools.more(event.currentTarget),
      { data: { key: "tool-more" }, "aria-haspopup": "menu" },
      icon("more"),
    ),
  );
}
