// Elements of SVG and HTML, made so that no text is ever taken for markup.

const SVG = 'http://www.w3.org/2000/svg';

/** An SVG element with its attributes and children; a child that is text becomes text. */
export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

/** The same for HTML. Attributes whose name begins with `on` are listeners. */
export function html(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A path through points; a gap where one is missing. */
export function path(points) {
  let pen = 'M';
  let text = '';
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      pen = 'M';
      continue;
    }
    text += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = 'L';
  }
  return text;
}

/** Widths of what was drawn last, by the place that it stands in: to ask a new element for its own lays out the whole page. */
const WIDTHS = new WeakMap();

/**
 * Calls `draw(width)` whenever the width of `element`, which stands in `host`, changes. Returns what draws it once more, as wide as
 * it is; nothing is drawn before it is called, or before there is a width.
 */
export function onWidth(host, element, draw) {
  let drawnAt = 0;
  const at = (width) => {
    drawnAt = width;
    WIDTHS.set(host, width);
    draw(width);
  };
  new ResizeObserver(([{ contentRect }]) => {
    const now = Math.round(contentRect.width);
    if (now > 0 && now !== drawnAt) at(now);
  }).observe(element);
  return () => {
    const width = drawnAt || WIDTHS.get(host) || Math.round(element.clientWidth);
    if (width > 0) at(width);
  };
}
