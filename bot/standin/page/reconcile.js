/* Bringing a list up to date: what did not change stays as it is, and so does what is being done in it. */

import { rememberFocus } from "./focus.js";

/** Make `list` show `items`, each {key, sign, make}; a child is made anew only where its sign changed. */
export function reconcile(list, items) {
  const giveBack = rememberFocus();
  const known = new Map([...list.children].map((child) => [child.dataset.listKey, child]));
  const wanted = items.map(({ key, sign, make }) => {
    const old = known.get(key);
    if (old?.sign === sign) return old;
    const made = make();
    made.dataset.listKey = key;
    made.sign = sign;
    if (old) keepVotes(old, made);
    return made;
  });
  const isSame =
    wanted.length === list.children.length &&
    wanted.every((child, index) => child === list.children[index]);
  if (isSame) return;
  const keepScroll = rememberScroll(list);
  place(list, wanted);
  keepScroll();
  giveBack();
}

/* Children that stay are not moved: moving one would take its focus and start its animations again. */
function place(list, wanted) {
  const stay = new Set(wanted);
  for (const child of [...list.children]) if (!stay.has(child)) child.remove();
  wanted.forEach((child, index) => {
    if (list.children[index] !== child) list.insertBefore(child, list.children[index] ?? null);
  });
}

/** Slack remembers a reader's votes and choices though the message knows nothing of them. */
export function keepVotes(old, made) {
  for (const pressed of old.querySelectorAll(".feedback [aria-pressed=true]")) {
    made
      .querySelector(`.feedback [data-key="${CSS.escape(pressed.dataset.key)}"]`)
      ?.setAttribute("aria-pressed", "true");
  }
  for (const chosen of old.querySelectorAll("[data-entry]")) {
    const again = made.querySelector(`[data-key="${CSS.escape(chosen.dataset.key)}"]`);
    if (again?.enter && again.sign === chosen.sign) again.enter(chosen.entry());
  }
}

/* At the end it stays at the end; elsewhere the first message in sight stays where it is. */
function rememberScroll(list) {
  const frame = list.closest("[data-scrolls]");
  if (!frame) return () => {};
  if (isAtEnd(frame)) return () => toEnd(frame);
  const top = frame.getBoundingClientRect().top;
  const first = [...list.children].find((child) => child.getBoundingClientRect().bottom > top);
  const before = first?.getBoundingClientRect().top;
  return () => {
    const again = first?.isConnected
      ? first
      : list.querySelector(`[data-list-key="${CSS.escape(first?.dataset.listKey ?? "")}"]`);
    if (again) frame.scrollTop += again.getBoundingClientRect().top - before;
  };
}

/** Whether the newest message is in sight. */
export const isAtEnd = (frame) => frame.scrollHeight - frame.scrollTop - frame.clientHeight < 40;

/** Show the newest message. */
export function toEnd(frame) {
  frame.scrollTop = frame.scrollHeight;
}
