/* The page: it shows what a person sees, and again after every change. */

import { listen } from "./acting.js";
import { act, changes, Refused, screen } from "./api.js";
import { modalIn } from "./modal.js";
import { namesOf } from "./names.js";
import { channelOf, showChannel, showHome, showThread } from "./panes.js";
import { showPlaces } from "./places.js";
import { go, route } from "./route.js";

const AT_FIRST = 50;
const [places, main, aside, dialog, offline] = ["places", "main", "thread", "modal", "offline"].map(
  (id) => document.getElementById(id),
);
const frame = document.getElementById("columns");

let seen = null;
let names = null;
let newest = AT_FIRST;
let asking = null;
let isAskedAgain = false;

const context = () => ({ me: route().me, seen, names, refresh });
const modal = modalIn(dialog, context);

/* One question at a time; whoever asks meanwhile gets the answer to the next one. */
async function refresh() {
  if (asking) {
    isAskedAgain = true;
    return asking;
  }
  asking = look().finally(() => {
    asking = null;
  });
  await asking;
  if (!isAskedAgain) return undefined;
  isAskedAgain = false;
  return refresh();
}

async function look() {
  const here = route();
  const channel = ["", "home"].includes(here.place) ? "" : channelOf(here);
  const answer = await screen({ me: here.me, channel, thread: here.thread, newest });
  if (JSON.stringify(here) !== JSON.stringify(route())) {
    isAskedAgain = true;
    return;
  }
  seen = answer;
  names = namesOf(seen);
  show(here);
}

function show(here) {
  const shown = {
    seen,
    names,
    refresh,
    context,
    route: here,
    earlier: () => {
      newest += 100;
      void refresh();
    },
  };
  if (here.place === "home") showHome(main, shown);
  else if (here.place) showChannel(main, shown);
  aside.hidden = !here.thread || !seen.thread;
  if (!aside.hidden) showThread(aside, shown);
  frame.dataset.at = !aside.hidden ? "thread" : here.place ? "place" : "list";
  showPlaces(places, shown);
  modal.show(seen.modal);
  document.title = title(here);
  document.documentElement.dataset.revision = seen.revision;
}

function title(here) {
  const news = seen.channels.filter(
    (channel) => channel.id !== channelOf(here) && channel.unread > 0,
  ).length;
  const place =
    here.place === "home" ? `${names.app} Home` : (names.channelName(here.place) ?? names.app);
  return `${news ? `(${news}) ` : ""}${place} · Stand-in for Slack`;
}

/* Wait for changes for ever; while the stand-in can't be reached, say so and try again. */
async function follow() {
  for (;;) {
    try {
      await changes(seen?.revision ?? -1);
      await refresh();
      offline.hidden = true;
    } catch (error) {
      trouble(error);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

async function arrive() {
  const here = route();
  newest = AT_FIRST;
  const tab = { home: "home", dm: "messages" }[here.place];
  if (tab) void act("open_home", { user: here.me, tab }).catch(() => {});
  await refresh().catch(trouble);
}

/* The stand-in may be away for a while; anything else is a mistake of this page, to be seen. */
function trouble(error) {
  offline.hidden = !(error instanceof Refused);
  if (offline.hidden) console.error(error);
}

async function start() {
  await refresh().catch(trouble);
  const first = names?.places()[0]?.[0];
  if (!route().place && first && matchMedia("(min-width: 48rem)").matches)
    go({ place: first }, { replace: true });
  addEventListener("hashchange", () => void arrive());
  document.addEventListener("visibilitychange", () => void refresh().catch(trouble));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented && !dialog.open && route().thread)
      closeThread();
  });
  await arrive();
  await follow();
}

/* Back to the message whose thread it was. */
function closeThread() {
  const { thread } = route();
  go({ thread: "" });
  main.querySelector(`[data-ts="${CSS.escape(thread)}"]`)?.focus();
}

const inMessage = (node) => ({
  channel: channelOf(route()),
  ts: node.closest("[data-ts]").dataset.ts,
});
listen(main, (node) => (node.closest("[data-ts]") ? inMessage(node) : { home: true }), context);
listen(aside, inMessage, context);
listen(dialog, () => ({ view_id: dialog.dataset.view }), context);
void start();
