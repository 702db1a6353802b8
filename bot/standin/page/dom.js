/* Making elements. Words become text nodes and nothing else, so nothing that people wrote is markup. */

/** An element: `on` holds listeners, `data` data- attributes; null, false and undefined are skipped. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on")
      for (const [event, heard] of Object.entries(value)) element.addEventListener(event, heard);
    else if (name === "data") Object.assign(element.dataset, onlyGiven(value));
    else if (name === "style") element.style.cssText = value;
    else if (name === "href" || name === "src") setAddress(element, name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...nodes(children));
  return element;
}

function onlyGiven(values) {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== null && value !== undefined),
  );
}

/** Children as nodes: strings as text, lists flat, nothing for null and false. */
export function nodes(children) {
  return [children]
    .flat(9)
    .filter((child) => child !== null && child !== undefined && child !== false && child !== "")
    .map((child) => (child instanceof Node ? child : document.createTextNode(String(child))));
}

const HARMLESS = {
  href: ["http:", "https:", "mailto:", "tel:"],
  src: ["http:", "https:", "blob:"],
};

function setAddress(element, name, value) {
  const address = harmless(String(value), HARMLESS[name]);
  if (address !== null) element.setAttribute(name, address);
}

/** The address if its scheme can run nothing, else null. */
export function harmless(address, schemes = HARMLESS.href) {
  try {
    return schemes.includes(new URL(address, location.href).protocol) ? address : null;
  } catch {
    return null;
  }
}

/** A link that opens beside this page; plain words where its address could do harm. */
export function link(address, ...children) {
  if (harmless(address) === null) return h("span", {}, ...children);
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

/** A button of the page itself, named for all. */
export function button(label, heard, props = {}, ...shown) {
  const named = shown.length ? { "aria-label": label, title: label } : {};
  return h(
    "button",
    { type: "button", ...named, ...props, on: { click: heard } },
    ...(shown.length ? shown : [label]),
  );
}

/** Replace what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}
