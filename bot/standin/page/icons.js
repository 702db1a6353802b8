/* Icons as lines, so that no picture has to be fetched. */

/** An icon as two or more SVG paths, drawn in the colour of the words around it. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  for (const line of ICONS[name]) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", line);
    svg.append(path);
  }
  return svg;
}

const ICONS = {
  smile: [
    "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14",
    "M7.5 8.2v.3M12.5 8.2v.3",
    "M6.8 11.6c1.6 2.4 4.8 2.4 6.4 0",
  ],
  reply: ["M4 4h12v9h-6l-4 3.5V13H4z", "M7 7.2h6M7 9.8h4"],
  more: ["M10 4.6v.4M10 9.8v.4M10 15v.4"],
  close: ["M5 5l10 10M15 5L5 15"],
  back: ["M12 4.5L6.5 10l5.5 5.5"],
  send: ["M3.5 3.5L17 10L3.5 16.5L5.5 10z", "M5.5 10H11"],
  clip: [
    "M13.5 7.5l-5 5a1.6 1.6 0 0 0 2.3 2.3l5.4-5.4a3.2 3.2 0 0 0-4.6-4.6l-5.6 5.6a4.8 4.8 0 0 0 6.8 6.8l4.2-4.2",
  ],
  home: ["M3.5 9.5L10 4l6.5 5.5", "M5.5 8.5V16h9V8.5", "M8.5 16v-4h3v4"],
  lock: ["M5 9h10v7H5z", "M7 9V6.5a3 3 0 0 1 6 0V9"],
  hash: ["M8 4L6.5 16M13.5 4L12 16M4.5 8H16M4 12h11.5"],
  file: ["M6 3h5.5L15 6.5V17H6z", "M11.5 3v3.5H15"],
  eye: ["M2.8 10c3.6-6 10.8-6 14.4 0c-3.6 6-10.8 6-14.4 0", "M10 8a2 2 0 1 0 0 4a2 2 0 1 0 0-4"],
  warn: ["M10 3.5L17.5 16h-15z", "M10 8.2v3.6M10 13.8v.2"],
  good: [
    "M6.5 17V9l3.2-6c1.6 0 2 1.2 1.6 2.6L10.7 8H15.5c1.2 0 1.6 1 1.3 2l-1.6 5.5c-.3 1-1 1.5-2 1.5z",
    "M3.5 9v8",
  ],
  bad: [
    "M13.5 3v8l-3.2 6c-1.6 0-2-1.2-1.6-2.6L9.3 12H4.5c-1.2 0-1.6-1-1.3-2l1.6-5.5c.3-1 1-1.5 2-1.5z",
    "M16.5 11V3",
  ],
  trash: ["M4.5 6h11M8 6V4h4v2M6 6l.7 10.5h6.6L14 6", "M8.7 8.5v5M11.3 8.5v5"],
};
