/* Files that are to go with a message. */

import { button, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { size } from "./files.js";

/** The button, the field behind it, and the chips of what was chosen. */
export function chosenFiles() {
  let chosen = [];
  const input = h("input", { type: "file", multiple: true, hidden: true, "aria-label": "Files" });
  const opener = button(
    "Attach files",
    () => input.click(),
    { class: "plain", data: { key: "attach" } },
    icon("clip"),
  );
  const chips = h("div", { class: "chips", "aria-live": "polite" });
  const show = () =>
    fill(
      chips,
      chosen.map((file) =>
        h(
          "span",
          { class: "chip" },
          `${file.name} · ${size(file.size)}`,
          button(
            `Remove ${file.name}`,
            () => {
              chosen = chosen.filter((other) => other !== file);
              show();
            },
            { class: "plain" },
            icon("close"),
          ),
        ),
      ),
    );
  const add = (files) => {
    chosen = [...chosen, ...files];
    show();
  };
  input.addEventListener("change", () => {
    add(input.files);
    input.value = "";
  });
  const take = () => {
    const taken = chosen;
    chosen = [];
    show();
    return taken;
  };
  return { input, opener, chips, add, take, any: () => chosen.length > 0 };
}

/** Files as the stand-in takes them: bytes in base64. */
export const picked = (files) =>
  Promise.all(files.map(async (file) => ({ name: file.name, base64: await base64(file) })));

const base64 = (file) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
