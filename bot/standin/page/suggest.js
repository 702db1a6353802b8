/* Suggestions over a composer: commands after `/`, people after `@`. Arrows move, Enter or Tab takes. */

import { fill, h } from "./dom.js";

let numbered = 0;

/** Suggest for a field; `keyed(event)` answers whether the key was used here, `close()` ends it. */
export function suggesting(field, { context, inThread, changed }) {
  const id = `suggestions-${(numbered += 1)}`;
  const list = h("div", {
    class: "suggestions",
    role: "listbox",
    id,
    "aria-label": "Suggestions",
    hidden: true,
  });
  let found = [];
  let at = 0;
  field.setAttribute("aria-controls", id);
  field.setAttribute("aria-autocomplete", "list");
  requestAnimationFrame(() => field.before(list));

  const show = () => {
    found = suggestions(field, context(), inThread);
    at = 0;
    draw();
  };
  const draw = () => {
    list.hidden = found.length === 0;
    fill(
      list,
      found.map((item, index) =>
        h(
          "div",
          {
            role: "option",
            id: `${id}-${index}`,
            "aria-selected": String(index === at),
            class: "suggestion",
            on: {
              pointerdown: (event) => {
                event.preventDefault();
                take(item);
              },
            },
          },
          h("strong", {}, item.label),
          item.hint && h("code", {}, item.hint),
          item.note && h("small", {}, item.note),
        ),
      ),
    );
    if (found.length) field.setAttribute("aria-activedescendant", `${id}-${at}`);
    else field.removeAttribute("aria-activedescendant");
  };
  const close = () => {
    found = [];
    draw();
  };
  const take = (item) => {
    const [before, after] = [
      field.value.slice(0, item.from),
      field.value.slice(field.selectionStart),
    ];
    field.value = `${before}${item.text} ${after.trimStart()}`;
    const caret = before.length + item.text.length + 1;
    field.setSelectionRange(caret, caret);
    close();
    changed();
  };
  field.addEventListener("input", show);
  field.addEventListener("blur", close);

  const keyed = (event) => {
    if (!found.length || event.isComposing) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const isWhole = found[at].text === field.value.trim();
    if (step) at = (at + step + found.length) % found.length;
    else if (event.key === "Escape") found = [];
    else if (event.key === "Tab" || (event.key === "Enter" && !isWhole && !event.shiftKey))
      take(found[at]);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    draw();
    return true;
  };
  return { keyed, close };
}

function suggestions(field, { seen, names }, inThread) {
  const before = field.value.slice(0, field.selectionStart);
  if (!inThread && /^\/\S*$/.test(before)) {
    return seen.commands
      .filter((known) => known.command.startsWith(before))
      .map((known) => ({
        label: known.command,
        hint: known.usage_hint,
        note: known.description,
        text: known.command,
        from: 0,
      }));
  }
  const typed = /(?:^|[\s(])@([\p{L}\p{N}]*)$/u.exec(before);
  if (!typed) return [];
  return names
    .mentionable()
    .filter(([, name]) => name.toLowerCase().startsWith(typed[1].toLowerCase()))
    .slice(0, 8)
    .map(([, name]) => ({
      label: `@${name}`,
      text: `@${name}`,
      from: before.length - typed[1].length - 1,
    }));
}
