/* Where somebody is: who they are, in which place, in which thread. It stands in the address. */

const FIRST = "U0ANN";

/** {me, place, thread}; the place is a channel's id, `dm`, `home` or empty (the list, on a phone). */
export function route() {
  const [me, place = "", thread = ""] = location.hash
    .replace(/^#\/?/, "")
    .split("/")
    .map(decodeURIComponent);
  return {
    me: (me !== "me" && me) || kept("me") || FIRST,
    place: place === `D0${me}` ? "dm" : place,
    thread,
  };
}

/** Go where `changes` say; what they don't name stays. A new place closes the thread. */
export function go(changes, { replace = false } = {}) {
  const next = { ...route(), ...("place" in changes ? { thread: "" } : {}), ...changes };
  keep("me", next.me);
  const hash = `#/${[next.me, next.place, next.thread].filter(Boolean).map(encodeURIComponent).join("/")}`;
  if (hash === location.hash) return;
  if (!replace) location.hash = hash;
  else {
    history.replaceState(null, "", hash);
    dispatchEvent(new HashChangeEvent("hashchange"));
  }
}

/** What this browser remembers; nothing where it must not. */
export function kept(name) {
  try {
    return JSON.parse(localStorage.getItem(`standin:${name}`));
  } catch {
    return null;
  }
}

/** Remember something in this browser. */
export function keep(name, value) {
  try {
    localStorage.setItem(`standin:${name}`, JSON.stringify(value));
  } catch {
    /* A browser that keeps nothing still shows everything. */
  }
}
