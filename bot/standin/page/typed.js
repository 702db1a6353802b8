/* What somebody typed as the `rich_text` block in which Slack's client sends it beside the text. */

import { unicodeOf } from "./emoji.js";
import { MARKS } from "./mrkdwn.js";
import { URL_TYPED } from "./wire.js";

const QUOTE = /^> ?(.*)$/;
const ITEM = /^(\s*)(?:[-*•]|(\d+)[.)])\s+(\S.*)$/;
const STYLES = { strong: "bold", em: "italic", s: "strike" };
const PLACE = "\uE000";

/** The blocks of a message; `names` knows the people and channels that are meant. */
export function typed(text, names) {
  const elements = text
    .replaceAll(PLACE, "")
    .split(/```([\s\S]+?)```/)
    .flatMap((part, index) => (index % 2 ? [code(part)] : paragraphs(part, names)));
  return elements.length ? [{ type: "rich_text", elements }] : [];
}

const code = (part) => ({
  type: "rich_text_preformatted",
  elements: [{ type: "text", text: part.replace(/^\n|\n$/g, "") }],
});

/* Lines of one kind that follow each other belong together. */
function paragraphs(part, names) {
  const groups = [];
  for (const line of part.split("\n").map(kindOf)) {
    const before = groups.at(-1);
    if (before?.kind === line.kind) before.lines.push(line.words);
    else groups.push({ ...line, lines: [line.words] });
  }
  return groups.filter((group) => group.lines.join("").trim()).map((group) => made(group, names));
}

function kindOf(line) {
  const quote = QUOTE.exec(line);
  if (quote) return { kind: "quote", words: quote[1] };
  const item = ITEM.exec(line);
  if (!item) return { kind: "section", words: line };
  const [style, indent] = [item[2] ? "ordered" : "bullet", Math.floor(item[1].length / 2)];
  const offset = item[2] ? Number(item[2]) - 1 : 0;
  return { kind: `${style} ${indent}`, style, indent, offset, words: item[3] };
}

function made({ kind, style, indent, offset, lines }, names) {
  if (!style)
    return {
      type: kind === "quote" ? "rich_text_quote" : "rich_text_section",
      elements: inline(lines.join("\n").replace(/^\n+|\n+$/g, ""), names),
    };
  const items = lines.map((line) => ({ type: "rich_text_section", elements: inline(line, names) }));
  return { type: "rich_text_list", style, indent, ...(offset && { offset }), elements: items };
}

/* Code, links, mentions and emoji are taken out first, each for one private character. */
function inline(text, names) {
  const taken = [];
  const left = text.replace(tokens(names), (...found) => {
    const element = token(found.at(-1), names);
    if (!element) return found[0];
    taken.push(element);
    return PLACE;
  });
  return styled(left, taken, {});
}

function tokens(names) {
  const people = names
    .mentionable()
    .map(([, name]) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .sort((one, other) => other.length - one.length);
  return new RegExp(
    [
      "`(?<code>[^`\\n]+)`",
      `(?<url>${URL_TYPED.source})`,
      `(?<=^|[\\s(])@(?<who>${people.join("|")})(?![\\p{L}\\p{N}])`,
      "(?<=^|\\s)#(?<place>[\\w-]+)",
      ":(?<emoji>[a-z0-9_+'-]+):",
    ].join("|"),
    "giu",
  );
}

function token({ code, url, who, place, emoji }, names) {
  if (code) return { type: "text", text: code, style: { code: true } };
  if (url) return { type: "link", url };
  if (who) return { type: "user", user_id: idOf(who, names.mentionable()) };
  const channel = place && names.places().find(([, name]) => name === `#${place}`);
  if (channel) return { type: "channel", channel_id: channel[0] };
  const unicode = emoji && unicodeOf(emoji);
  return unicode ? { type: "emoji", name: emoji, unicode } : null;
}

const idOf = (name, known) =>
  known.find(([, other]) => other.toLowerCase() === name.toLowerCase())[0];

function styled(text, taken, style) {
  const hits = MARKS.map(([tag, pattern]) => [tag, pattern.exec(text)]).filter(([, hit]) => hit);
  if (!hits.length) return words(text, taken, style);
  const [tag, hit] = hits.reduce((first, other) =>
    other[1].index < first[1].index ? other : first,
  );
  return [
    ...words(text.slice(0, hit.index), taken, style),
    ...styled(hit[1], taken, { ...style, [STYLES[tag]]: true }),
    ...styled(text.slice(hit.index + hit[0].length), taken, style),
  ];
}

function words(text, taken, style) {
  return text
    .split(/(\uE000)/)
    .filter(Boolean)
    .map((part) => {
      const element = part === PLACE ? taken.shift() : { type: "text", text: part };
      const together = { ...style, ...element.style };
      return Object.keys(together).length ? { ...element, style: together } : element;
    });
}
