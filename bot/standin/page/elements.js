/* Block Kit's interactive elements. Each tells what was done with it by an `act` event that bubbles;
   whoever shows the block asks for a confirmation and tells the app. */

import { button, h, link } from "./dom.js";
import { icon } from "./icons.js";
import { worded } from "./emoji.js";
import { openMenu } from "./menu.js";
import { entering } from "./inputs.js";

/** What was done, told to whoever shows the block. */
export function act(node, element, blockId, done) {
  const told = { element, block: blockId, action: element.action_id, ...done };
  node.dispatchEvent(new CustomEvent("act", { bubbles: true, detail: told }));
}

/** An element of an actions block, an accessory or a card; null where its kind isn't known. */
export function interactive(element, blockId, names) {
  const make = KINDS[element.type];
  if (make) return make(element, blockId, names);
  return chooser(element, blockId, names);
}

const key = (element, extra = "") => ({
  action: element.action_id,
  key: `${element.action_id}:${element.value ?? ""}${extra}`,
});
const styleOf = (element) => `kit-button ${element.style ?? ""}`;

function kitButton(element, blockId) {
  const label = worded(element.text);
  if (element.url) {
    const opened = link(element.url, label);
    opened.className = styleOf(element);
    opened.addEventListener("click", () =>
      act(opened, element, blockId, { kind: "press", value: element.value }),
    );
    return opened;
  }
  const made = h(
    "button",
    {
      type: "button",
      class: styleOf(element),
      "aria-label": element.accessibility_label,
      data: { ...key(element), value: element.value },
    },
    label,
  );
  made.addEventListener("click", () =>
    act(made, element, blockId, { kind: "press", value: element.value, busy: made }),
  );
  return made;
}

function overflow(element, blockId) {
  const opener = button(
    "More options",
    () =>
      openMenu(
        opener,
        (element.options ?? []).map((option) => ({
          label: worded(option.text),
          note: option.description?.text,
          href: option.url,
          chosen: () =>
            act(opener, element, blockId, { kind: "choose", value: option.value, busy: opener }),
        })),
      ),
    { class: "kit-button overflow", data: key(element), "aria-haspopup": "menu" },
    icon("more"),
  );
  return opener;
}

function feedback(element, blockId) {
  const one = (side, drawn) => {
    const given = element[side] ?? {};
    const made = button(
      given.accessibility_label || given.text?.text || side,
      () => {
        for (const other of made.parentElement.children)
          other.setAttribute("aria-pressed", String(other === made));
        act(made, element, blockId, { kind: "feedback", value: given.value, busy: made });
      },
      {
        class: "kit-icon",
        "aria-pressed": "false",
        data: { ...key(element, given.value), value: given.value },
      },
      icon(drawn),
    );
    return made;
  };
  return h(
    "span",
    { class: "feedback", role: "group" },
    one("positive_button", "good"),
    one("negative_button", "bad"),
  );
}

function iconButton(element, blockId, names) {
  if (element.visible_to_user_ids?.length && !element.visible_to_user_ids.includes(names.me))
    return null;
  const made = button(
    element.accessibility_label || element.text?.text || element.icon,
    () => {
      act(made, element, blockId, { kind: "press", value: element.value, busy: made });
    },
    { class: "kit-icon", data: { ...key(element), value: element.value } },
    icon(element.icon === "trash" ? "trash" : "more"),
  );
  return made;
}

/* Selects, pickers, radio buttons and check boxes outside of a form tell of each change. */
function chooser(element, blockId, names) {
  const made = entering(element, names);
  if (!made) return null;
  made.dataset.action = element.action_id;
  made.setAttribute("aria-label", worded(element.placeholder) || "Choose");
  let before = made.entry();
  made.addEventListener("change", () => {
    const value = made.entry();
    act(made, element, blockId, {
      kind: "choose",
      value,
      busy: made,
      undo: () => made.enter(before),
      counted: () => {
        before = value;
      },
    });
  });
  return made;
}

const KINDS = {
  button: kitButton,
  overflow,
  feedback_buttons: feedback,
  icon_button: iconButton,
  workflow_button: kitButton,
};
