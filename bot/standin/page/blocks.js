/* Block Kit to nodes: one function a kind. Pure: it is given the blocks and the names that stand in them. */

import { h, nodes } from "./dom.js";
import { interactive } from "./elements.js";
import { entering } from "./inputs.js";
import { markdown, scrolled } from "./markdown.js";
import { mrkdwn, textObject } from "./mrkdwn.js";
import { richText } from "./rich_text.js";

/** The nodes of a list of blocks. */
export const rendered = (blocks, names) => blocks.map((block) => oneBlock(block, names));

function oneBlock(block, names) {
  const make = KINDS[block.type];
  const inside = make ? make(block, names) : unknown(block.type);
  return h(
    "div",
    {
      class: `block ${make ? block.type : "unknown-block"}`,
      data: { block: block.block_id, type: block.type },
    },
    ...nodes([inside]),
  );
}

const unknown = (kind) =>
  h("p", { class: "unknown" }, `This stand-in can't show a block of type “${kind}”.`);

const elements = (block, names) =>
  (block.elements ?? []).map(
    (element) =>
      interactive(element, block.block_id, names) ??
      h("span", { class: "unknown" }, `(${element.type})`),
  );

function section(block, names) {
  const words = [
    block.text && h("div", { class: "words" }, ...textObject(block.text, names)),
    block.fields?.length &&
      h(
        "div",
        { class: "fields" },
        ...block.fields.map((field) => h("div", { class: "words" }, ...textObject(field, names))),
      ),
  ];
  return [
    h("div", { class: "body" }, ...words),
    block.accessory && h("div", { class: "accessory" }, accessory(block, names)),
  ];
}

const accessory = ({ accessory, block_id }, names) =>
  accessory.type === "image"
    ? picture(accessory, names, "thumb")
    : (interactive(accessory, block_id, names) ?? unknown(accessory.type));

/** An image of a block; its words stand in its place where it can't be shown. */
function picture(image, names, kind = "picture") {
  const address = image.image_url ?? names.file(image.slack_file);
  const made = h("img", {
    src: address,
    alt: image.alt_text ?? "",
    class: kind,
    loading: "lazy",
    data: { enlarge: kind === "picture" ? "" : null },
  });
  made.addEventListener("error", () =>
    made.replaceWith(
      h(
        "span",
        { class: "no-image", role: "img", "aria-label": image.alt_text },
        image.alt_text || "image",
      ),
    ),
  );
  return made;
}

const image = (block, names) =>
  h(
    "figure",
    {},
    block.title && h("figcaption", {}, ...textObject(block.title, names)),
    h(
      "button",
      { type: "button", class: "enlarge", "aria-label": `Enlarge: ${block.alt_text ?? "image"}` },
      picture(block, names),
    ),
  );

const context = (block, names) =>
  (block.elements ?? []).map((element) =>
    element.type === "image"
      ? picture(element, names, "tiny")
      : h("span", { class: "words" }, ...textObject(element, names)),
  );

const header = (block, names) =>
  h("div", { class: "head", role: "heading", "aria-level": "3" }, ...textObject(block.text, names));

const LEVELS = { info: "ℹ️", warning: "⚠️", error: "⛔", success: "✅" };
const alert = (block, names) =>
  h(
    "div",
    { class: `alert-box ${block.level ?? "default"}`, role: "note" },
    LEVELS[block.level] && h("span", { "aria-hidden": "true" }, LEVELS[block.level]),
    h("div", { class: "words" }, ...textObject(block.text, names)),
  );

function card(block, names) {
  return h(
    "div",
    { class: "card-box" },
    block.hero_image && picture(block.hero_image, names),
    h(
      "div",
      { class: "card-head" },
      block.icon && picture(block.icon, names, "tiny"),
      h(
        "div",
        {},
        block.title && h("strong", { class: "words" }, ...textObject(block.title, names)),
        block.subtitle && h("div", { class: "words quiet" }, ...textObject(block.subtitle, names)),
      ),
    ),
    block.body && h("div", { class: "words" }, ...textObject(block.body, names)),
    block.actions?.length &&
      h(
        "div",
        { class: "card-actions" },
        ...elements({ ...block, elements: block.actions }, names),
      ),
  );
}

function table(block, names) {
  const settings = block.column_settings ?? [];
  const cell = (tag) => (given, column) =>
    h(
      tag,
      {
        class: `${settings[column]?.align ?? "left"} ${settings[column]?.is_wrapped === false ? "one-line" : ""}`,
      },
      ...cellWords(given, names),
    );
  const [first, ...rest] = block.rows ?? [];
  return scrolled(
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...(first ?? []).map(cell("th")))),
      h("tbody", {}, ...rest.map((row) => h("tr", {}, ...row.map(cell("td"))))),
    ),
  );
}

const cellWords = (cell, names) =>
  cell?.type === "rich_text"
    ? richText(cell, names)
    : nodes(String(cell?.text ?? cell?.value ?? cell?.number ?? ""));

const STATES = { pending: "○", in_progress: "◐", complete: "✓", error: "✕" };
const task = (block, names) =>
  h(
    "div",
    { class: `task ${block.status}` },
    h(
      "span",
      { class: "sign", role: "img", "aria-label": block.status },
      STATES[block.status] ?? "○",
    ),
    h("div", {}, h("strong", {}, block.title), ...richParts(block, names)),
  );
const richParts = (block, names) =>
  [block.details, block.output].filter(Boolean).flatMap((part) => richText(part, names));
const plan = (block, names) => [
  h("strong", {}, block.title),
  ...(block.tasks ?? []).map((one) => task(one, names)),
];

let numbered = 0;

/** A field of a form: label, control, hint, room for the app's error. */
function input(block, names) {
  const control = entering(block.element, names);
  if (!control) return unknown(block.element?.type);
  const id = `field-${(numbered += 1)}`;
  const isGroup = control.matches("div, details");
  const told = [block.hint && `${id}-hint`, `${id}-error`].filter(Boolean).join(" ");
  control.id = id;
  control.setAttribute("aria-describedby", told);
  if (isGroup) control.setAttribute("aria-labelledby", `${id}-label`);
  if (!block.optional && !isGroup) control.setAttribute("aria-required", "true");
  const words = [
    ...textObject(block.label, names),
    block.optional && h("span", { class: "quiet" }, " (optional)"),
  ];
  const label = isGroup
    ? h("div", { class: "label", id: `${id}-label` }, ...words)
    : h("label", { class: "label", for: id, id: `${id}-label` }, ...words);
  return [
    label,
    control,
    counter(block.element, control),
    block.hint && h("div", { class: "hint", id: `${id}-hint` }, ...textObject(block.hint, names)),
    h("div", { class: "field-error", id: `${id}-error`, role: "alert" }),
  ];
}

/* Slack counts down where a limit is near; so does this. */
function counter(element, control) {
  if (element.type !== "plain_text_input" || !element.max_length) return null;
  const shown = h("div", { class: "counter" });
  const count = () => {
    const left = element.max_length - control.value.length;
    shown.textContent =
      left <= Math.max(50, element.max_length / 10) ? `${left} characters left` : "";
  };
  control.addEventListener("input", count);
  count();
  return shown;
}

const KINDS = {
  section,
  header,
  context,
  image,
  alert,
  card,
  table,
  input,
  plan,
  divider: () => h("hr"),
  actions: elements,
  context_actions: elements,
  markdown: (block, names) => markdown(block.text ?? "", names),
  rich_text: richText,
  task_card: task,
};

/** A message's or view's words that came without blocks. */
export const wordsOnly = (text, names) =>
  h("div", { class: "block words" }, ...mrkdwn(text, names));
