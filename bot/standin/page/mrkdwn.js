/* Slack's own markup to nodes, by Slack's rules: *bold*, _italic_, ~strike~, `code`, quotes, <links>. */

import { dated } from "./dates.js";
import { link, h, nodes } from "./dom.js";
import { emojified, worded } from "./emoji.js";

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };

/** A text with Slack's three entities read. */
export const decoded = (text) => text.replace(/&(?:lt|gt|amp);/g, (entity) => ENTITIES[entity]);

/** The nodes of a text object; `plain_text` is never formatted. */
export function textObject(text, names) {
  if (!text) return [];
  return text.type === "mrkdwn" ? mrkdwn(text.text ?? "", names) : nodes(worded(text));
}

/** The nodes of a `mrkdwn` text; `names` tells people, channels and groups by their ids. */
export function mrkdwn(text, names) {
  return text
    .split(/(```[\s\S]+?```)/)
    .flatMap((part, index) =>
      index % 2
        ? [h("pre", {}, shown(part.slice(3, -3).replace(/^\n|\n$/g, "")))]
        : quoted(part, names),
    );
}

/** Words of code: links and mentions stay as they are written, without the brackets. */
const shown = (text) =>
  decoded(text.replace(/<([^<>|]*)(?:\|([^<>]*))?>/g, (_, target, label) => label ?? target));

function quoted(text, names) {
  const parts = [];
  let rest = false;
  for (const line of text.split("\n")) {
    const mark = rest ? "" : /^(?:&gt;&gt;&gt;|>>>|&gt;|>) ?/.exec(line)?.[0];
    rest ||= /^(?:&gt;|>){3}/.test(mark ?? "");
    const isQuote = rest || mark !== undefined;
    const words = mark ? line.slice(mark.length) : line;
    if (parts.at(-1)?.isQuote === isQuote) parts.at(-1).lines.push(words);
    else parts.push({ isQuote, lines: [words] });
  }
  return parts.flatMap(({ isQuote, lines }) => {
    const inside = lines.flatMap((line, index) => [
      ...(index ? ["\n"] : []),
      ...inline(line, names),
    ]);
    return isQuote ? [h("blockquote", {}, ...inside)] : nodes(inside);
  });
}

const TOKEN = /`([^`\n]+)`|<([^<>\n]+)>/;
const WORD = "[\\p{L}\\p{N}]";
/* A mark opens after no letter and before a visible one, and closes the other way round. */
const mark = (sign) =>
  new RegExp(
    `(?<!${WORD}|[${sign}])[${sign}](?![\\s\\u2060${sign}])([^${sign}\\n]*?[^\\s${sign}])[${sign}](?!${WORD}|[${sign}])`,
    "u",
  );
/** The tags of Slack's marks, and what is inside of each. */
export const MARKS = [
  ["strong", mark("*")],
  ["em", mark("_")],
  ["s", mark("~")],
];

function inline(text, names) {
  const tokens = [];
  const kept = keep(text, tokens, names);
  return styled(kept, tokens, 0);
}

/* Code and <…> are taken out first, each for one private character, so that marks may span them. */
function keep(text, tokens, names) {
  let left = text.replaceAll("\uE000", "");
  let found;
  while ((found = TOKEN.exec(left))) {
    tokens.push(
      found[1] !== undefined ? h("code", {}, shown(found[1])) : reference(found[2], names),
    );
    left = `${left.slice(0, found.index)}\uE000${left.slice(found.index + found[0].length)}`;
  }
  return left;
}

function styled(text, tokens, depth) {
  const hits =
    depth > 5
      ? []
      : MARKS.map(([tag, pattern]) => [tag, pattern.exec(text)]).filter(([, hit]) => hit);
  if (!hits.length) return words(text, tokens);
  const [tag, hit] = hits.reduce((first, other) =>
    other[1].index < first[1].index ? other : first,
  );
  return [
    ...words(text.slice(0, hit.index), tokens),
    h(tag, {}, ...styled(hit[1], tokens, depth + 1)),
    ...styled(text.slice(hit.index + hit[0].length), tokens, depth),
  ];
}

function words(text, tokens) {
  return text
    .split(/(\uE000)/)
    .flatMap((part) =>
      part === "\uE000" ? nodes([tokens.shift()]) : nodes(decoded(emojified(part))),
    );
}

/** What `<…>` stands for. */
function reference(inside, names) {
  const [target, ...rest] = inside.split("|");
  const label = rest.length ? decoded(rest.join("|")) : "";
  if (target.startsWith("@")) return mention(target.slice(1), names, label);
  if (target.startsWith("#")) return names.channel(target.slice(1), label);
  if (target.startsWith("!")) return special(target.slice(1), label, names);
  return link(decoded(target), label || decoded(target).replace(/^mailto:/, ""));
}

/** A person's name as a mention. */
export function mention(user, names, label = "") {
  return h(
    "span",
    { class: user === names.me ? "mention to-me" : "mention", data: { user } },
    `@${names.person(user) ?? (label || user)}`,
  );
}

function special(target, label, names) {
  const [kind, ...given] = target.split("^");
  if (kind === "date") {
    const [seconds = "", format = "", address] = given;
    const words = dated(seconds, decoded(format), label, names.now);
    return address ? link(address, words) : h("time", { title: label }, words);
  }
  if (kind === "subteam")
    return h(
      "span",
      { class: "mention" },
      `@${names.group(given[0]) ?? (label.replace(/^@/, "") || given[0])}`,
    );
  if (["here", "channel", "everyone"].includes(kind))
    return h("span", { class: "mention to-me" }, `@${kind}`);
  return h("span", {}, label || `<${target}>`);
}
