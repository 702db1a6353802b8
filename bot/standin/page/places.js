/* The column on the left: who somebody is, and where they can go. */

import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { avatar } from "./message.js";
import { go, keep } from "./route.js";

/** Show the places of the workspace; `route` says where the person is. */
export function showPlaces(column, { seen, names, route }) {
  const counts = seen.channels.map((channel) => [channel.id, channel.name, channel.unread]);
  const sign = JSON.stringify([seen.team, seen.users, route.me, route.place, counts]);
  if (column.sign === sign) return;
  column.sign = sign;
  const held = column.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  fill(
    column,
    h("h1", {}, seen.team.name),
    whoYouAre(seen, names),
    group(
      "Channels",
      seen.channels
        .filter((channel) => !channel.is_im)
        .map((channel) =>
          entry(
            {
              place: channel.id,
              words: channel.name,
              drawn: icon(channel.is_private ? "lock" : "hash"),
              unread: channel.unread,
            },
            route,
          ),
        ),
    ),
    group("Apps", [
      entry({ place: "home", words: `${names.app} Home`, drawn: icon("home") }, route),
      entry(
        {
          place: "dm",
          words: names.app,
          drawn: h("span", { class: "tiny-app", "aria-hidden": "true" }, "🎭"),
          unread: seen.channels.find((channel) => channel.is_im)?.unread,
        },
        route,
      ),
    ]),
  );
  if (held) column.querySelector(`[data-key="${CSS.escape(held)}"]`)?.focus();
}

function whoYouAre(seen, names) {
  const people = names.everyone();
  const select = h(
    "select",
    { id: "you-are", data: { key: "you-are" } },
    ...people.map(([id, name]) => h("option", { value: id }, name)),
  );
  select.value = seen.me;
  select.addEventListener("change", () => {
    keep("me", select.value);
    go({ me: select.value });
  });
  return h(
    "div",
    { class: "you-are" },
    avatar({ id: seen.me, name: names.person(seen.me) ?? seen.me }),
    h("div", {}, h("label", { for: "you-are" }, "You are"), select),
  );
}

const group = (title, entries) =>
  h("section", { "aria-label": title }, h("h2", {}, title), h("ul", {}, ...entries));

function entry({ place, words, drawn, unread }, route) {
  const isHere = route.place === place;
  const isNew = !isHere && unread > 0;
  return h(
    "li",
    {},
    h(
      "button",
      {
        type: "button",
        class: isNew ? "place unread" : "place",
        "aria-current": isHere ? "page" : null,
        data: { place, key: `place:${place}` },
        on: { click: () => go({ place }) },
      },
      drawn,
      h("span", { class: "place-name" }, words),
      isNew &&
        h(
          "span",
          { class: "badge new", "aria-label": `${unread} unread` },
          unread > 99 ? "99+" : String(unread),
        ),
    ),
  );
}
