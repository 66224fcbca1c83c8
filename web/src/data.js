// The data of the page: read once, then asked by name.

import { shortNames } from './format.js';

/** What is in the page, or what a running server has answered; see `src/report/render/html/data.rs`. */
export function read(raw) {
  const index = new Map(raw.figures.map((figure, place) => [figure.name, place]));
  const missing = { mean: null, low: null, high: null };
  return {
    ...raw,
    shorts: shortNames(raw.paths),
    has: (name) => index.has(name),
    figure: (name) => raw.figures[index.get(name)],
    /** A figure of a point, by the point's place in the list. */
    of(point, name) {
      const place = index.get(name);
      if (place === undefined) return missing;
      const { mean, low, high } = raw.figures[place];
      const from = low?.[point] ?? null;
      // JSON has no infinity: an interval that begins and does not end is open upwards.
      return { mean: mean[point] ?? null, low: from, high: high?.[point] ?? (from === null ? null : Infinity) };
    },
    /** The run of a point that is shown window by window, if there is one. */
    run: (point) => raw.runs.find((run) => run.point === point),
    /** What a point is called, in a line. */
    name(point, short = true) {
      const { variant, settings } = raw.points[point];
      const names = short ? this.shorts : raw.paths;
      const parts = settings.map((value, place) => (value === null ? null : `${names[place]} ${value}`));
      return [variant, ...parts].filter(Boolean).join(', ') || raw.title;
    },
  };
}

/** The data written into this page; `null` where there is none. */
export function inPage() {
  const element = document.getElementById('kneepoint-data');
  return element ? read(JSON.parse(element.textContent)) : null;
}
