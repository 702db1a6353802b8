/* `rich_text` blocks to nodes: sections, lists, quotes, code. */

import { dated } from "./dates.js";
import { h, link, nodes } from "./dom.js";
import { emoji } from "./emoji.js";
import { mention } from "./mrkdwn.js";

/** The nodes of a rich_text block's elements; lists of deeper indent go into the item before. */
export function richText(block, names) {
  const made = [];
  for (const element of block.elements ?? []) {
    const node =
      PARTS[element.type]?.(element, names) ?? h("span", { class: "unknown" }, `(${element.type})`);
    const parent =
      element.type === "rich_text_list" && element.indent
        ? deepest(made.at(-1), element.indent)
        : null;
    if (parent) parent.append(node);
    else made.push(node);
  }
  return made;
}

function deepest(before, indent) {
  let list = before;
  for (let level = 0; level < indent; level += 1) {
    const item = list?.matches("ol, ul") ? list.lastElementChild : null;
    if (!item) return null;
    const inner = [...item.children].findLast((child) => child.matches("ol, ul"));
    if (!inner || level === indent - 1) return item;
    list = inner;
  }
  return null;
}

const inside = (element, names) => (element.elements ?? []).flatMap((part) => inline(part, names));

const PARTS = {
  rich_text_section: (element, names) => h("div", { class: "rich" }, ...inside(element, names)),
  rich_text_quote: (element, names) => h("blockquote", {}, ...inside(element, names)),
  rich_text_preformatted: (element, names) => h("pre", {}, ...inside(element, names)),
  rich_text_list: (element, names) =>
    h(
      element.style === "ordered" ? "ol" : "ul",
      element.style === "ordered" && element.offset ? { start: element.offset + 1 } : {},
      ...(element.elements ?? []).map((item) => h("li", {}, ...inside(item, names))),
    ),
};

const INLINE = {
  text: (part) => nodes(part.text ?? ""),
  link: (part) => [link(part.url, part.text || part.url)],
  emoji: (part) => nodes(emoji(part.name ?? "")),
  user: (part, names) => [mention(part.user_id, names)],
  usergroup: (part, names) => [
    h("span", { class: "mention" }, `@${names.group(part.usergroup_id) ?? part.usergroup_id}`),
  ],
  broadcast: (part) => [h("span", { class: "mention to-me" }, `@${part.range}`)],
  channel: (part, names) => [names.channel(part.channel_id, "")],
  date: (part, names) => [
    h(
      "time",
      {},
      dated(String(part.timestamp), part.format ?? "{date_num}", part.fallback ?? "", names.now),
    ),
  ],
  color: (part) => nodes(part.value ?? ""),
};

const STYLES = { bold: "strong", italic: "em", strike: "s", code: "code", underline: "u" };

function inline(part, names) {
  const made = INLINE[part.type]?.(part, names) ?? [
    h("span", { class: "unknown" }, `(${part.type})`),
  ];
  return Object.entries(STYLES)
    .filter(([style]) => part.style?.[style])
    .reduce((wrapped, [, tag]) => [h(tag, {}, ...wrapped)], made);
}
