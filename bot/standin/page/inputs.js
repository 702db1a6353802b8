/* Elements that take an entry. Each made node has `entry()`, what is entered now, and `enter(value)`. */

import { h } from "./dom.js";
import { worded } from "./emoji.js";
import { textObject } from "./mrkdwn.js";

let numbered = 0;

/** The control of an element, or null where its kind isn't known. */
export function entering(element, names) {
  const made = KINDS[element.type]?.(element, names) ?? null;
  if (made) made.sign = JSON.stringify(element);
  if (made)
    Object.assign(made.dataset, {
      entry: element.action_id ?? "",
      kind: element.type,
      key: element.action_id ?? "",
    });
  return made;
}

/* A node whose entry is a field's text; an empty field is no entry. */
function field(tag, element, props = {}) {
  const made = h(tag, { placeholder: element.placeholder?.text, ...props });
  made.entry = () => made.value || null;
  made.enter = (value) => {
    made.value = value ?? "";
  };
  return made;
}

function textInput(element) {
  const limits = { maxlength: element.max_length ?? 3000, minlength: element.min_length };
  const made = element.multiline
    ? field("textarea", element, { rows: 5, ...limits })
    : field("input", element, { type: "text", ...limits });
  made.enter(element.initial_value);
  return made;
}

const typed =
  (type, first = "initial_value", more = () => ({})) =>
  (element) => {
    const made = field("input", element, { type, ...more(element) });
    made.enter(element[first]);
    return made;
  };

const numbers = (element) => ({
  min: element.min_value,
  max: element.max_value,
  step: element.is_decimal_allowed ? "any" : "1",
  inputmode: "decimal",
});

function datetime(element) {
  const made = typed("datetime-local")({});
  const local = (seconds) =>
    new Date(seconds * 1000 - new Date(seconds * 1000).getTimezoneOffset() * 60_000)
      .toISOString()
      .slice(0, 16);
  made.entry = () => (made.value ? Math.round(new Date(made.value).getTime() / 1000) : null);
  made.enter = (seconds) => {
    made.value = seconds ? local(seconds) : "";
  };
  made.enter(element.initial_date_time);
  return made;
}

const oneLine = ({ text, description }) =>
  [text, description].filter(Boolean).map(worded).join(" · ");
const choice = (option) => h("option", { value: option.value }, oneLine(option));
const named = ([id, name]) => ({ value: id, text: { text: name, emoji: false } });

/* The options of an element, in groups where it has them: [[label or null, options]]. */
function groups(element, names) {
  if (element.option_groups)
    return element.option_groups.map((group) => [group.label?.text ?? "", group.options]);
  if (/users_select/.test(element.type)) return [[null, names.everyone().map(named)]];
  if (/(channels|conversations)_select/.test(element.type))
    return [[null, names.places().map(named)]];
  return [[null, element.options ?? []]];
}

function select(element, names) {
  const options = groups(element, names).flatMap(([label, inside]) =>
    label === null ? inside.map(choice) : [h("optgroup", { label }, ...inside.map(choice))],
  );
  const made = h(
    "select",
    {},
    h("option", { value: "" }, element.placeholder?.text ?? "Choose an option"),
    ...options,
  );
  made.entry = () => made.value || null;
  made.enter = (value) => {
    made.value = value ?? "";
  };
  made.enter(
    element.initial_option?.value ??
      element.initial_user ??
      element.initial_channel ??
      element.initial_conversation,
  );
  return made;
}

/* Boxes or radio buttons in a group; `first` are the values ticked at the start. */
function ticks(options, names, { type, first }) {
  const name = `ticks-${(numbered += 1)}`;
  const made = h(
    "div",
    { class: "ticks", role: type === "radio" ? "radiogroup" : "group" },
    ...options.map((option) =>
      h(
        "label",
        {},
        h("input", { type, name, value: option.value }),
        h(
          "span",
          {},
          ...textObject(option.text, names),
          option.description && h("small", {}, ...textObject(option.description, names)),
        ),
      ),
    ),
  );
  const inputs = [...made.querySelectorAll("input")];
  made.ticked = () => inputs.filter((input) => input.checked).map((input) => input.value);
  made.enter = (values) => {
    for (const input of inputs) input.checked = [values ?? []].flat().includes(input.value);
  };
  made.entry = () => (type === "radio" ? (made.ticked()[0] ?? null) : made.ticked());
  made.enter(first);
  return made;
}

const checkboxes = (element, names) =>
  ticks(element.options ?? [], names, {
    type: "checkbox",
    first: (element.initial_options ?? []).map((option) => option.value),
  });
const radios = (element, names) =>
  ticks(element.options ?? [], names, { type: "radio", first: [element.initial_option?.value] });

/* Several of many: a field that opens into a list of boxes. */
function multiSelect(element, names) {
  const first =
    element.initial_options?.map((option) => option.value) ??
    element.initial_users ??
    element.initial_channels ??
    element.initial_conversations ??
    [];
  const options = groups(element, names).flatMap(([, inside]) => inside);
  const boxes = ticks(options, names, { type: "checkbox", first });
  const summary = h("summary", {});
  const made = h("details", { class: "multi" }, summary, boxes);
  const show = () => {
    const chosen = options.filter((option) => boxes.ticked().includes(option.value)).map(oneLine);
    summary.textContent = chosen.join(", ") || element.placeholder?.text || "Choose options";
    summary.classList.toggle("empty", chosen.length === 0);
  };
  made.addEventListener("change", show);
  made.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !made.open) return;
    event.preventDefault();
    event.stopPropagation();
    made.open = false;
    summary.focus();
  });
  made.entry = () => boxes.entry();
  made.enter = (values) => {
    boxes.enter(values);
    show();
  };
  show();
  return made;
}

const KINDS = {
  plain_text_input: textInput,
  email_text_input: typed("email"),
  url_text_input: typed("url"),
  number_input: typed("number", "initial_value", numbers),
  datepicker: typed("date", "initial_date"),
  timepicker: typed("time", "initial_time"),
  datetimepicker: datetime,
  checkboxes,
  radio_buttons: radios,
};
for (const kind of ["static", "users", "channels", "conversations"]) {
  KINDS[`${kind}_select`] = select;
  KINDS[`multi_${kind}_select`] = multiSelect;
}
