/* What somebody typed as Slack sends it: three characters escaped, mentions and links in brackets. */

const escaped = (text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** An address within typed words: it ends before a bracket, and before the sentence's own stop. */
export const URL_TYPED = /(?<![\p{L}\p{N}])https?:\/\/[^\s|<>]*[^\s|<>.,;:!?'")\]]/u;

/* The same once the three characters are escaped: `&amp;` goes on, the brackets end it. */
const URL_ESCAPED =
  /(?<![\p{L}\p{N}])https?:\/\/(?:&amp;|[^\s|&])*(?:&amp;|[^\s|&.,;:!?'")\]])/gu;

/** Typed words in Slack's wire form; `names` knows the people and channels that are meant. */
export function wire(text, names) {
  return escaped(text.trim())
    .replace(URL_ESCAPED, "<$&>")
    .replace(mentions(names), (_, before, name) => `${before}<@${idOf(name, names.mentionable())}>`)
    .replace(/(^|\s)#([\w-]+)/g, (whole, before, name) => linked(whole, before, name, names));
}

function mentions(names) {
  const known = names
    .mentionable()
    .map(([, name]) => escaped(name))
    .sort((one, other) => other.length - one.length);
  return new RegExp(
    `(^|[\\s(])@(${known.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})(?![\\p{L}\\p{N}])`,
    "giu",
  );
}

const idOf = (name, known) =>
  known.find(([, other]) => escaped(other).toLowerCase() === name.toLowerCase())[0];

function linked(whole, before, name, names) {
  const found = names.places().find(([, place]) => place === `#${name}`);
  return found ? `${before}<#${found[0]}|${name}>` : whole;
}
