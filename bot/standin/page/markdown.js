/* Standard Markdown, as Slack's `markdown` block and streams read it, to nodes. Raw HTML stays words. */

import { h, link, nodes } from "./dom.js";
import { emojified } from "./emoji.js";
import { decoded, mention } from "./mrkdwn.js";

/** The nodes of a Markdown text. */
export function markdown(text, names) {
  return blocksOf(text.replace(/\r\n?/g, "\n").split("\n"), names);
}

/* Each reader looks at the lines from `start` on; it answers [node, next line] or null. */
function blocksOf(lines, names) {
  const made = [];
  let index = 0;
  while (index < lines.length) {
    if (!lines[index].trim()) {
      index += 1;
      continue;
    }
    const [node, next] = READERS.map((reader) => () => reader(lines, index, names)).reduce(
      (found, reader) => found ?? reader(),
      null,
    );
    made.push(node);
    index = next;
  }
  return made;
}

function fence(lines, start) {
  const opened = /^\s*(```+|~~~+)/.exec(lines[start]);
  if (!opened) return null;
  let end = start + 1;
  while (end < lines.length && !lines[end].trim().startsWith(opened[1])) end += 1;
  return [h("pre", {}, decoded(lines.slice(start + 1, end).join("\n"))), end + 1];
}

function heading(lines, start, names) {
  const found = /^(#{1,6})\s+(.*?)\s*#*$/.exec(lines[start]);
  if (!found) return null;
  const level = found[1].length;
  return [
    h(
      "div",
      { class: `heading level-${level}`, role: "heading", "aria-level": level + 2 },
      ...inline(found[2], names),
    ),
    start + 1,
  ];
}

function rule(lines, start) {
  return /^\s*([-*_])(\s*\1){2,}\s*$/.test(lines[start]) ? [h("hr"), start + 1] : null;
}

function quote(lines, start, names) {
  const mark = /^\s*(?:>|&gt;) ?/;
  if (!mark.test(lines[start])) return null;
  let end = start;
  while (end < lines.length && mark.test(lines[end])) end += 1;
  return [
    h(
      "blockquote",
      {},
      ...blocksOf(
        lines.slice(start, end).map((line) => line.replace(mark, "")),
        names,
      ),
    ),
    end,
  ];
}

const cells = (line) =>
  line
    .trim()
    .replace(/^\||\|$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));
const isRuler = (line) => line !== undefined && line.includes("-") && /^[\s|:-]+$/.test(line);

function table(lines, start, names) {
  if (!lines[start].includes("|") || !isRuler(lines[start + 1])) return null;
  const sides = cells(lines[start + 1]).map((cell) =>
    /^:.*:$/.test(cell) ? "center" : cell.endsWith(":") ? "right" : "left",
  );
  const row = (line, tag) =>
    h(
      "tr",
      {},
      ...cells(line).map((cell, column) =>
        h(tag, { class: sides[column] ?? "left" }, ...inline(cell, names)),
      ),
    );
  let end = start + 2;
  while (end < lines.length && lines[end].includes("|") && lines[end].trim()) end += 1;
  return [
    scrolled(
      h(
        "table",
        {},
        h("thead", {}, row(lines[start], "th")),
        h("tbody", {}, ...lines.slice(start + 2, end).map((line) => row(line, "td"))),
      ),
    ),
    end,
  ];
}

/** Wide things scroll in a frame of their own, reachable by keyboard. */
export const scrolled = (inside) =>
  h("div", { class: "scrolled", tabindex: "0", role: "group", "aria-label": "Table" }, inside);

const ITEM = /^(\s*)(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/;

function list(lines, start, names) {
  const first = ITEM.exec(lines[start]);
  if (!first) return null;
  const [, indent, number] = first;
  const items = [];
  let index = start;
  while (index < lines.length) {
    const item = ITEM.exec(lines[index]);
    const depth = /^\s*/.exec(lines[index])[0].length;
    if (item && depth === indent.length && (item[2] === undefined) === (number === undefined))
      items.push([item[3]]);
    else if (lines[index].trim() && depth > indent.length)
      items.at(-1).push(lines[index].slice(Math.min(depth, indent.length + 2)));
    else if (lines[index].trim() || !/^\s+\S/.test(lines[index + 1] ?? "")) break;
    index += 1;
  }
  const shown = items.map(([line, ...rest]) =>
    h("li", {}, ...task(line, names), ...blocksOf(rest, names)),
  );
  return [
    number === undefined ? h("ul", {}, ...shown) : h("ol", { start: number }, ...shown),
    index,
  ];
}

function task(line, names) {
  const found = /^\[([ xX])\]\s+(.*)$/.exec(line);
  if (!found) return inline(line, names);
  return [found[1] === " " ? "☐ " : "☑ ", ...inline(found[2], names)];
}

function paragraph(lines, start, names) {
  let end = start + 1;
  while (
    end < lines.length &&
    lines[end].trim() &&
    !READERS.slice(0, -1).some((reader) => reader(lines, end, names))
  )
    end += 1;
  return [
    h(
      "p",
      {},
      ...inline(
        lines
          .slice(start, end)
          .map((line) => line.trim())
          .join("\n"),
        names,
      ),
    ),
    end,
  ];
}

const READERS = [fence, heading, rule, quote, table, list, paragraph];

/* Tried at each place in this order; a part that formats is read again inside. */
const INLINE = [
  [/\\([\\`*_{}[\]()#+\-.!|~<>&])/, (hit) => hit[1]],
  [/(`+)([^\n]*?[^`])\1(?!`)/, (hit) => h("code", {}, decoded(hit[2].trim()))],
  [/!\[([^\]\n]*)\]\(([^()\s]+)\)/, (hit) => link(hit[2], hit[1] || hit[2])],
  [
    /\[([^\]\n]+)\]\(([^()\s]+)(?:\s+"[^"\n]*")?\)/,
    (hit, names) => link(decoded(hit[2]), ...inline(hit[1], names)),
  ],
  [/<@([UW][A-Z0-9]+)>/, (hit, names) => mention(hit[1], names)],
  [/<(https?:[^<>\s]+|mailto:[^<>\s]+)>/, (hit) => link(decoded(hit[1]), decoded(hit[1]))],
  [/\*\*(?=\S)([^\n]*?\S)\*\*/, (hit, names) => h("strong", {}, ...inline(hit[1], names))],
  [
    /(?<![\p{L}\p{N}_])__(?=\S)([^\n]*?\S)__(?![\p{L}\p{N}_])/u,
    (hit, names) => h("strong", {}, ...inline(hit[1], names)),
  ],
  [/\*(?=[^\s*])([^\n*]*?[^\s*])\*(?!\*)/, (hit, names) => h("em", {}, ...inline(hit[1], names))],
  [
    /(?<![\p{L}\p{N}_])_(?=[^\s_])([^\n_]*?[^\s_])_(?![\p{L}\p{N}_])/u,
    (hit, names) => h("em", {}, ...inline(hit[1], names)),
  ],
  [/~~(?=\S)([^\n]*?\S)~~/, (hit, names) => h("s", {}, ...inline(hit[1], names))],
  [/https?:\/\/[^\s<>()]*[^\s<>().,;:!?'"]/, (hit) => link(decoded(hit[0]), decoded(hit[0]))],
];

function inline(text, names) {
  const made = [];
  let left = text;
  while (left) {
    const hit = earliest(left);
    if (!hit) break;
    made.push(...words(left.slice(0, hit.at)), ...nodes([hit.read(hit.found, names)]));
    left = left.slice(hit.at + hit.found[0].length);
  }
  return [...made, ...words(left)];
}

function earliest(text) {
  let best = null;
  for (const [pattern, read] of INLINE) {
    const found = pattern.exec(text);
    if (found && (best === null || found.index < best.at)) best = { at: found.index, found, read };
  }
  return best;
}

const words = (text) => nodes(decoded(emojified(text)));
