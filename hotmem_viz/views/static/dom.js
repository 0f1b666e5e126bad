// Small helpers to build elements; every class gets the prefix `hotmem-`.

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";

/** Make an element: makeElement("div", "panel wide", {title: "x"}, [children or text]). */
export function makeElement(tag, classes = "", attributes = {}, children = []) {
  const element = document.createElement(tag);
  addClasses(element, classes);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...[children].flat().filter((child) => child !== null && child !== undefined));
  return element;
}

function addClasses(element, classes) {
  for (const name of classes.split(" ")) if (name) element.classList.add(`hotmem-${name}`);
}

export function makeSvg(tag, attributes = {}) {
  const element = document.createElementNS(SVG_NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

const ICONS = {
  first: "M5 4v16M20 4 9 12l11 8z",
  previousMark: "M12 5 3 12l9 7zM21 5l-9 7 9 7z",
  back: "M16 5 7 12l9 7z",
  play: "M7 4l13 8-13 8z",
  pause: "M7 4h4v16H7zM14 4h4v16h-4z",
  step: "M8 5l9 7-9 7z",
  nextMark: "M12 5l9 7-9 7zM3 5l9 7-9 7z",
  last: "M19 4v16M4 4l11 8-11 8z",
  loop: "M17 3l3 3-3 3M4 11V9a3 3 0 0 1 3-3h13M7 21l-3-3 3-3M20 13v2a3 3 0 0 1-3 3H4",
  sun: "M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10zM12 1v3M12 20v3M1 12h3M20 12h3M4 4l2 2M18 18l2 2M4 20l2-2M18 6l2-2",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
  auto: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 3v18M12 8h6.5M12 12h8.5M12 16h7.5",
  link: "M10 14a4.5 4.5 0 0 0 6.4 0l3.2-3.2a4.5 4.5 0 0 0-6.4-6.4L12 5.6M14 10a4.5 4.5 0 0 0-6.4 0l-3.2 3.2a4.5 4.5 0 0 0 6.4 6.4L12 18.4",
  lecture: "M3 4h18v12H3zM12 16v4M8 20h8",
  help: "M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4M12 17.5v.5",
  close: "M5 5l14 14M19 5 5 19",
};
const OUTLINED = new Set(["loop", "auto", "link", "sun", "lecture", "help", "close"]);

export function makeIcon(name) {
  const svg = makeSvg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true", class: "hotmem-icon" });
  svg.append(
    makeSvg("path", {
      d: ICONS[name],
      fill: OUTLINED.has(name) ? "none" : "currentColor",
      stroke: "currentColor",
      "stroke-width": "2",
      "stroke-linejoin": "round",
      "stroke-linecap": "round",
    }),
  );
  return svg;
}

/** A button with an icon; `label` is its tooltip and its name for screen readers. */
export function makeButton(icon, label, onclick, classes = "") {
  return makeElement(
    "button",
    `button ${classes}`,
    { type: "button", title: label, "aria-label": label, onclick },
    [makeIcon(icon)],
  );
}

/**
 * An id that no other element of the page has.
 *
 * The page counts, not this module: every widget of a page runs a copy of it. An id that two share
 * means the first, and of a pattern or a marker in a hidden tab Chromium paints nothing.
 */
export function makeId(name) {
  document.hotmemIds = (document.hotmemIds ?? 0) + 1;
  return `hotmem-${name}-${document.hotmemIds}`;
}

/** Set an element's text only if it differs, so that nothing is laid out in vain. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A function that measures words in an element's font, bold or not, in css pixels. */
export function textMeasure(element) {
  const context = document.createElement("canvas").getContext("2d");
  const { fontFamily, fontSize } = getComputedStyle(element);
  return (words, bold = false) => {
    context.font = `${bold ? "650 " : ""}${fontSize} ${fontFamily}`;
    return context.measureText(words).width;
  };
}
