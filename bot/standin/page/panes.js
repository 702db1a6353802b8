/* The middle and the right: a channel, the app's Home, a thread. */

import { rendered } from "./blocks.js";
import { composer } from "./composer.js";
import { button, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { rememberFocus } from "./focus.js";
import { showMessages } from "./messages.js";
import { act } from "./api.js";
import { hasNews, isDismissed, markThreadRead } from "./reading.js";
import { isAtEnd, keepVotes, toEnd } from "./reconcile.js";
import { go, route } from "./route.js";

/** A pane with a list of messages and a composer, built once for each place. */
function build(pane, { title, note, key, tools, channel, thread, context, placeholder }) {
  const list = h("div", {
    class: "list",
    role: "log",
    "aria-label": title,
    data: { list: thread ? "thread" : "channel" },
  });
  const frame = h(
    "div",
    { class: "frame", data: { scrolls: "" } },
    h("div", { class: "earlier" }),
    list,
  );
  fill(
    pane,
    h(
      "header",
      {},
      ...tools.before,
      h("h2", {}, title),
      note && h("span", { class: "quiet" }, note),
      ...tools.after,
    ),
    frame,
    composer({ me: route().me, channel, thread, placeholder, context }),
  );
  pane.key = key;
  stayAtEnd(frame, list);
}

/* Pictures and long texts arrive late: whoever reads the newest message goes on to see it. */
function stayAtEnd(frame, list) {
  let isPinned = true;
  frame.addEventListener("scroll", () => {
    isPinned = isAtEnd(frame);
  });
  const grown = new ResizeObserver(() => {
    if (isPinned) toEnd(frame);
  });
  grown.observe(list);
  grown.observe(frame);
}

const backButton = () =>
  button("Back to the list", () => go({ place: "" }), { class: "plain back" }, icon("back"));

/** Show a channel or the app's direct messages. */
export function showChannel(pane, { seen, names, refresh, context, earlier }) {
  const here = route();
  const isDirect = here.place === "dm";
  const channel = channelOf(here);
  const name = isDirect ? names.app : `#${names.channelName(channel) ?? channel}`;
  const messages = merged(
    seen.channel?.messages ?? [],
    seen.whispers.filter((one) => one.channel === channel && !one.thread_ts),
  );
  const unread = seen.channels.find((one) => one.id === channel)?.unread ?? 0;
  const isFirst = pane.key !== `${here.me}/${channel}`;
  if (isFirst) {
    pane.since = (unread > 0 && seen.channel.messages.at(-1 - unread)?.ts) || null;
    const tools = { before: [backButton()], after: isDirect ? [appTabs("dm", names)] : [] };
    build(pane, {
      title: name,
      note: isDirect ? "App" : null,
      key: `${here.me}/${channel}`,
      channel,
      context,
      placeholder: `Message ${name}`,
      tools,
    });
  }
  const more = seen.channel?.older ?? 0;
  fill(
    pane.querySelector(".earlier"),
    more > 0
      ? button(`Show earlier messages (${more})`, earlier, { class: "kit-button" })
      : h("p", { class: "quiet" }, `This is the beginning of ${name}.`),
  );
  showMessages(pane.querySelector(".list"), messages, {
    seen,
    names,
    channel,
    since: pane.since,
    inThread: false,
    refresh,
    isNews: (message) => hasNews(here.me, message),
  });
  suggestPrompts(pane, seen.channel?.said?.prompts ?? []);
  if (isFirst) toEnd(pane.querySelector(".frame"));
  if (unread > 0 && document.visibilityState === "visible")
    void act("read", { user: here.me, channel }).catch(() => {});
}

/** The channel that somebody is in. */
export const channelOf = (here) => (here.place === "dm" ? `D0${here.me}` : here.place);

/** Show the open thread. */
export function showThread(pane, { seen, names, refresh, context }) {
  const here = route();
  const channel = channelOf(here);
  const key = `${here.me}/${channel}/${here.thread}`;
  const isFirst = pane.key !== key;
  if (isFirst) {
    const close = button(
      "Close the thread",
      () => go({ thread: "" }),
      { class: "plain", data: { key: "close-thread" } },
      icon("close"),
    );
    const where = names.channelName(channel);
    build(pane, {
      title: "Thread",
      note: where ? `#${where}` : names.app,
      key,
      channel,
      thread: here.thread,
      context,
      placeholder: "Reply…",
      tools: { before: [], after: [close] },
    });
  }
  const messages = merged(
    seen.thread.messages,
    seen.whispers.filter((one) => one.thread_ts === here.thread),
  );
  showMessages(pane.querySelector(".list"), messages, {
    seen,
    names,
    channel,
    since: null,
    inThread: true,
    refresh,
    isNews: () => false,
  });
  showStatus(pane, seen.thread.said.status ? `${names.app} ${seen.thread.said.status}` : "");
  if (isFirst) toEnd(pane.querySelector(".frame"));
  markThreadRead(here.me, here.thread, messages.at(-1)?.ts);
}

const merged = (messages, whispers) =>
  [
    ...messages,
    ...whispers
      .filter((whisper) => !isDismissed(whisper))
      .map((whisper) => ({ ...whisper, whisper: true })),
  ].sort((one, other) => Number(one.ts) - Number(other.ts));

/* What the app says that it is doing, above the composer. */
function showStatus(pane, words) {
  const shown = pane.querySelector(".status") ?? h("div", { class: "status", role: "status" });
  if (!shown.isConnected) pane.querySelector(".composer").before(shown);
  if (shown.textContent !== words) fill(shown, words);
}

/* What the app offers to ask. */
function suggestPrompts(pane, prompts) {
  const sign = JSON.stringify([pane.key, prompts]);
  if (pane.prompts === sign) return;
  pane.prompts = sign;
  pane.querySelector(".prompts")?.remove();
  if (!prompts.length) return;
  const ask = (prompt) => {
    const field = pane.querySelector("textarea");
    field.value = prompt.message;
    field.dispatchEvent(new Event("input"));
    field.focus();
  };
  pane
    .querySelector(".composer")
    .before(
      h(
        "div",
        { class: "prompts", role: "group", "aria-label": "Suggestions of the app" },
        ...prompts.map((prompt) =>
          button(prompt.title, () => ask(prompt), { class: "kit-button" }),
        ),
      ),
    );
}

const appTabs = (place, names) =>
  h(
    "nav",
    { class: "tabs", "aria-label": names.app },
    ...[
      ["home", "Home"],
      ["dm", "Messages"],
    ].map(([to, words]) =>
      button(words, () => go({ place: to }), {
        class: "tab",
        "aria-current": to === place ? "page" : null,
      }),
    ),
  );

/** Show what the app has published for this person. */
export function showHome(pane, { seen, names }) {
  const here = route();
  const key = `${here.me}/home`;
  if (pane.key !== key) {
    fill(
      pane,
      h(
        "header",
        {},
        backButton(),
        h("h2", {}, names.app),
        h("span", { class: "quiet" }, "App"),
        appTabs("home", names),
      ),
      h("div", { class: "frame home", data: { scrolls: "", form: "home" }, tabindex: "-1" }),
    );
    pane.key = key;
  }
  const frame = pane.querySelector(".frame");
  const sign = seen.home ? `${seen.home.id}:${seen.home.hash}` : "";
  if (frame.sign === sign) return;
  const giveBack = frame.contains(document.activeElement) ? rememberFocus() : () => {};
  const top = frame.scrollTop;
  const body = seen.home
    ? h("div", { class: "home-body" }, ...rendered(seen.home.blocks, names))
    : h(
        "p",
        { class: "nothing" },
        `${names.app} has not published a Home for you yet. Wait a moment.`,
      );
  keepVotes(frame, body);
  fill(frame, body);
  frame.sign = sign;
  frame.scrollTop = top;
  giveBack();
}
