/* Files under a message: pictures in sight, the first lines of texts, the rest as a link. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { fileAddress } from "./names.js";

const PICTURE = /\.(png|jpe?g|gif|webp)$/i;
const TEXT = /\.(txt|md|csv|json|jsonl|log|diff|yaml|yml)$/i;
const FIRST_LINES = 12;

/** The nodes of a message's files. */
export const attachments = (files) =>
  files.map((file) =>
    isPicture(file) ? picture(file) : isText(file) ? snippet(file) : plainFile(file),
  );

const isPicture = (file) =>
  PICTURE.test(file.name ?? "") || /^image\/(png|jpeg|gif|webp)$/.test(file.mimetype ?? "");
const isText = (file) =>
  TEXT.test(file.name ?? "") || Boolean(file.snippet_type) || file.mode === "snippet";

function picture(file) {
  const words = file.alt_txt || file.title || file.name;
  return h(
    "figure",
    { class: "file picture-file", data: { file: file.id } },
    h("figcaption", {}, file.title || file.name),
    h(
      "button",
      { type: "button", class: "enlarge", "aria-label": `Enlarge: ${words}` },
      h("img", { src: fileAddress(file), alt: words, class: "picture", loading: "lazy" }),
    ),
  );
}

function plainFile(file) {
  return h(
    "div",
    { class: "file", data: { file: file.id } },
    h(
      "a",
      { href: fileAddress(file), download: file.name, class: "file-card" },
      icon("file"),
      h("span", {}, h("strong", {}, file.title || file.name), h("small", {}, size(file.size))),
    ),
  );
}

function snippet(file) {
  const made = plainFile(file);
  made.classList.add("snippet");
  const shown = h("pre", { tabindex: "0", "aria-label": `The beginning of ${file.name}` });
  void begin(file).then((lines) => {
    if (!lines) return;
    shown.textContent = lines;
    made.append(shown);
  });
  return made;
}

const beginnings = new Map();

async function begin(file) {
  if (!beginnings.has(file.id)) beginnings.set(file.id, read(file));
  return beginnings.get(file.id);
}

async function read(file) {
  try {
    const answer = await fetch(fileAddress(file));
    if (!answer.ok) return "";
    const lines = (await answer.text()).split("\n");
    return (
      lines.slice(0, FIRST_LINES).join("\n") +
      (lines.length > FIRST_LINES ? `\n… ${lines.length - FIRST_LINES} more lines` : "")
    );
  } catch {
    return "";
  }
}

/** A number of bytes in words. */
export function size(bytes) {
  if (!(bytes >= 0)) return "";
  if (bytes < 1000) return `${bytes} ${bytes === 1 ? "byte" : "bytes"}`;
  return bytes < 1_000_000
    ? `${Math.round(bytes / 1000)} kB`
    : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
