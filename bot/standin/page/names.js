/* The names that stand behind ids, as one person sees them. */

import { h } from "./dom.js";
import { go } from "./route.js";

/** Lookups for the renderer, from what the stand-in says a person sees. */
export function namesOf(seen) {
  const people = new Map(
    seen.users.map((user) => [user.id, user.profile?.display_name || user.real_name || user.name]),
  );
  const groups = new Map(seen.usergroups.map((group) => [group.id, group.handle || group.name]));
  const places = seen.channels.filter((channel) => !channel.is_im);
  const channels = new Map(places.map((channel) => [channel.id, channel.name]));
  return {
    me: seen.me,
    bot: seen.bot.user,
    app: people.get(seen.bot.user) ?? "App",
    now: new Date(),
    person: (id) => people.get(id) ?? null,
    group: (id) => groups.get(id) ?? null,
    channelName: (id) => channels.get(id) ?? null,
    channel: (id, label) => channelLink(id, channels.get(id) ?? label),
    file: (file) =>
      file?.id
        ? `/files/${seen.team.id}-${encodeURIComponent(file.id)}/image`
        : fileAddress({ url_private: file?.url }),
    everyone: () =>
      seen.users
        .filter((user) => !user.is_bot)
        .map((user) => [user.id, user.real_name || user.name]),
    mentionable: () => [...people],
    places: () => places.map((channel) => [channel.id, `#${channel.name}`]),
  };
}

function channelLink(id, name) {
  if (!name) return h("span", { class: "mention" }, `#${id}`);
  return h(
    "button",
    { type: "button", class: "mention", on: { click: () => go({ place: id }) } },
    `#${name}`,
  );
}

/** Where an uploaded file is shown to people: at the stand-in, whatever host its address names. */
export function fileAddress(file) {
  const path = /\/files\/[^?#]+/.exec(file.url_private ?? "");
  return path ? path[0] : null;
}
