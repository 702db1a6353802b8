/* What a person has read of threads, and dismissed; kept in this browser. Channels are the stand-in's matter. */

import { keep, kept } from "./route.js";

const name = (me) => `threads:${me}`;

/** Take what only this person was told out of sight, as Slack's own "Dismiss" does. */
export function dismiss({ ts }) {
  keep("dismissed", [...(kept("dismissed") ?? []).slice(-500), ts]);
}

/** Whether somebody had enough of it. */
export const isDismissed = ({ ts }) => (kept("dismissed") ?? []).includes(ts);

/** Note that a thread was read up to a message. */
export function markThreadRead(me, thread, ts) {
  const known = kept(name(me)) ?? {};
  if (ts && Number(ts) > Number(known[thread] ?? 0)) keep(name(me), { ...known, [thread]: ts });
}

/** Whether a thread that this person has opened before holds something newer. */
export const hasNews = (me, message) =>
  Number(message.latest_reply ?? 0) > Number(kept(name(me))?.[message.ts] ?? Infinity);
