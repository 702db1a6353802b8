/* Small menus that open beside a button: arrow keys move, Enter chooses, Escape goes back to it. */

import { h, link, nodes } from "./dom.js";

let closeOpen = () => {};

/** Close the menu that is open, if one is. */
export const closeMenu = () => closeOpen();

/** A menu of items {label, note?, chosen, href?, danger?, divided?} at a button; `grid` shows it as tiles. */
export function openMenu(opener, items, { grid = false, label = "" } = {}) {
  closeOpen();
  const menu = h(
    "div",
    {
      class: grid ? "menu grid" : "menu",
      role: "menu",
      "aria-label": label || opener.getAttribute("aria-label"),
    },
    ...items.map(entry),
  );
  /* Inside an open dialog: what lies outside of one can't be reached while it is open. */
  (opener.closest("dialog, main, aside") ?? document.body).append(menu);
  const anchor = inSight(opener);
  place(menu, anchor);
  const close = ({ back = true } = {}) => {
    closeOpen = () => {};
    menu.remove();
    document.removeEventListener("pointerdown", outside, true);
    if (back && anchor.isConnected) anchor.focus();
    opener.removeAttribute("aria-expanded");
  };
  const outside = (event) => {
    if (!menu.contains(event.target)) close({ back: false });
  };
  closeOpen = close;
  document.addEventListener("pointerdown", outside, true);
  opener.setAttribute("aria-expanded", "true");
  menu.addEventListener("keydown", (event) => keyed(event, menu, close));
  menu.addEventListener("click", (event) => {
    const index = [...menu.children].indexOf(event.target.closest("[role=menuitem]"));
    if (index < 0) return;
    close();
    items[index].chosen?.(opener);
  });
  menu.firstElementChild?.focus();
}

function entry({ label, note, href, danger, divided, shown }) {
  const made = href ? link(href) : h("button", { type: "button" });
  made.setAttribute("role", "menuitem");
  made.tabIndex = -1;
  made.className = `${danger ? "danger" : ""} ${divided ? "divided" : ""}`;
  if (shown) made.setAttribute("aria-label", label);
  made.append(...nodes([shown ?? label, note && h("small", {}, note)]));
  return made;
}

function keyed(event, menu, close) {
  const items = [...menu.children];
  const at = items.indexOf(document.activeElement);
  const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
  if (event.key === "Escape" || event.key === "Tab") {
    event.preventDefault();
    event.stopPropagation();
    close();
  } else if (event.key in steps) {
    event.preventDefault();
    items[(at + steps[event.key] + items.length) % items.length].focus();
  } else if (event.key === "Home" || event.key === "End") {
    event.preventDefault();
    items.at(event.key === "Home" ? 0 : -1).focus();
  }
}

/* A tool that is not shown (there is no pointer to hover with) has no place: its message has. */
const inSight = (opener) =>
  opener.getClientRects().length ? opener : (opener.closest("article") ?? opener);

function place(menu, anchor) {
  const beside = anchor.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const below = beside.bottom + 4 + height < innerHeight;
  menu.style.top = `${Math.max(4, below ? beside.bottom + 4 : beside.top - height - 4)}px`;
  menu.style.left = `${Math.max(4, Math.min(beside.left, innerWidth - width - 8))}px`;
}
