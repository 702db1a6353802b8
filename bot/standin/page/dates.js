/* Times as the viewer's own clock shows them, and Slack's `<!date^…>`. Pure: `now` is given. */

const DAY = 86_400_000;

const at = (seconds) => new Date(seconds * 1000);
const written = (options) => (date) => new Intl.DateTimeFormat("en-US", options).format(date);

/** The time of day, such as 6:39 AM. */
export const clock = (seconds) =>
  new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" }).format(at(seconds));

/** Day and time in full, for tool tips. */
export const inFull = (seconds) =>
  `${FORMATS.date_long(at(seconds))} at ${FORMATS.time_secs(at(seconds))}`;

/** The day as a divider between messages names it. */
export const dayName = (seconds, now) => capitalised(pretty(FORMATS.date_long)(at(seconds), now));

/** A moment within a sentence, such as "today at 6:39 AM". */
export const moment = (seconds, now) =>
  `${pretty(FORMATS.date_short)(at(seconds), now)} at ${clock(seconds)}`;

/** Whether two moments are on one day of the viewer's calendar. */
export const sameDay = (one, other) => at(one).toDateString() === at(other).toDateString();

const ordinal = (day) =>
  `${day}${day % 100 > 10 && day % 100 < 14 ? "th" : (["th", "st", "nd", "rd"][day % 10] ?? "th")}`;
const long = (date, options) => {
  const month = written({ month: "long" })(date);
  return `${options.weekday ? `${written({ weekday: "long" })(date)}, ` : ""}${month} ${ordinal(date.getDate())}, ${date.getFullYear()}`;
};

function pretty(otherwise) {
  return (date, now) => {
    const midnight = (moment) =>
      new Date(moment.getFullYear(), moment.getMonth(), moment.getDate()).getTime();
    const days = Math.round((midnight(now) - midnight(date)) / DAY);
    return { 0: "today", 1: "yesterday", "-1": "tomorrow" }[days] ?? otherwise(date);
  };
}

/** How long ago, in words. */
export function ago(seconds, now) {
  const passed = Math.round(now.getTime() / 1000 - seconds);
  const [size, name] = [
    [86_400, "day"],
    [3600, "hour"],
    [60, "minute"],
  ].find(([size]) => Math.abs(passed) >= size) ?? [1, "second"];
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(
    -Math.round(passed / size),
    name,
  );
}

const two = (number) => String(number).padStart(2, "0");
const FORMATS = {
  date_num: (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
  date: (date) => long(date, {}),
  date_short: written({ month: "short", day: "numeric", year: "numeric" }),
  date_long: (date) => long(date, { weekday: true }),
  time: (date) => clock(date.getTime() / 1000),
  time_secs: (date) => new Intl.DateTimeFormat(undefined, { timeStyle: "medium" }).format(date),
  ago: (date, now) => ago(date.getTime() / 1000, now),
};
for (const name of ["date", "date_short", "date_long"])
  FORMATS[`${name}_pretty`] = pretty(FORMATS[name]);

const capitalised = (text) => text.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());

/** What stands for `<!date^seconds^format|fallback>`; the fallback where it can't be read.
 *  Slack makes its first letter a capital, unless a space of no width stands before it. */
export function dated(seconds, format, fallback, now) {
  const date = at(Number(seconds));
  if (!/^-?\d+$/.test(seconds) || Number.isNaN(date.getTime())) return fallback;
  return capitalised(
    format.replace(/\{(\w+)\}/g, (whole, name) => FORMATS[name]?.(date, now) ?? whole),
  );
}
