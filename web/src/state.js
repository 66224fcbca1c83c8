// What the reader has chosen, kept in the address so that a link shows the same view.

import { html } from './svg.js';

/** The view as the report was written. */
export function initial(data) {
  const selected = [data.pick, data.cheapest, data.knee, 0].find((place) => place !== null && place !== undefined);
  return {
    selected: data.points.length ? selected : null,
    pinned: null,
    x: data.x,
    y: data.y,
    slo: data.slo ? data.slo.seconds : null,
    facets: conditions(data),
    sort: null,
    query: '',
    onlyFrontier: false,
    zoom: null,
    open: [],
  };
}

/** The conditions of the setting that is chosen at first: a frontier over several conditions would be none. */
export function conditions(data) {
  const at = data.points[data.pick ?? 0];
  const first = data.paths.length - data.conditions;
  return Object.fromEntries(data.paths.slice(first).map((path, place) => [path, at.settings[first + place]]).filter(([, value]) => value !== null));
}

/** The state as the part of an address after `#`; empty for the view as written. */
export function toHash(data, state) {
  const start = initial(data);
  const parts = new URLSearchParams();
  for (const key of ['selected', 'pinned', 'x', 'y', 'slo', 'sort', 'query', 'onlyFrontier']) {
    const value = state[key];
    if (value !== start[key] && value !== null) parts.set(key, String(value));
  }
  if (state.zoom) parts.set('zoom', state.zoom.map((at) => Math.round(at)).join('-'));
  if (JSON.stringify(state.facets) !== JSON.stringify(start.facets)) {
    parts.append('only', '');
    for (const [key, value] of Object.entries(state.facets)) parts.append('only', `${key}=${value}`);
  }
  return parts.toString();
}

/** The state that a hash describes; whatever is not of this report is left out. */
export function fromHash(data, hash) {
  const state = initial(data);
  const parts = new URLSearchParams(hash.replace(/^#/, ''));
  const point = (text) => (/^\d+$/.test(text ?? '') && Number(text) < data.points.length ? Number(text) : null);
  state.selected = point(parts.get('selected')) ?? state.selected;
  state.pinned = point(parts.get('pinned'));
  for (const key of ['x', 'y']) if (data.has(parts.get(key))) state[key] = parts.get(key);
  const slo = Number(parts.get('slo'));
  if (parts.has('slo') && data.slo && slo > 0 && Number.isFinite(slo)) state.slo = slo;
  state.sort = parts.get('sort');
  state.query = parts.get('query') ?? '';
  state.onlyFrontier = parts.get('onlyFrontier') === 'true';
  const zoom = (parts.get('zoom') ?? '').split('-').map(Number);
  if (zoom.length === 2 && zoom[1] > zoom[0]) state.zoom = zoom;
  if (parts.has('only')) state.facets = {};
  for (const only of parts.getAll('only')) {
    const cut = only.indexOf('=');
    const [key, value] = [only.slice(0, cut), only.slice(cut + 1)];
    if (key === 'variant' || data.paths.includes(key)) state.facets[key] = value;
  }
  return state;
}

/** The state for new results of the same scenario: what was chosen stays, as far as it is still there. */
function carried(data, before) {
  const start = initial(data);
  // The point that is the setting itself: choosing another one sets the sliders.
  if (data.command === 'sweep') start.selected = data.today;
  if (!before) return start;
  const kept = { ...before, slo: start.slo, selected: start.selected };
  if (before.pinned >= data.points.length) kept.pinned = null;
  for (const key of ['x', 'y']) if (!data.has(kept[key])) kept[key] = start[key];
  kept.facets = Object.fromEntries(Object.entries(before.facets).filter(([key]) => key === 'variant' || data.paths.includes(key)));
  return kept;
}

/** A part below a title that unfolds it. Its contents are made while it is open; new results leave it as it is. */
export function unfolding(store, name, attributes = {}) {
  const summary = html('summary');
  const body = html('div');
  const part = html('details', attributes, summary, body);
  let make = () => [];
  const fill = () => body.replaceChildren(...(part.open ? make() : []));
  part.open = store.get().open.includes(name);
  part.addEventListener('toggle', () => {
    const { open } = store.get();
    if (open.includes(name) !== part.open) store.set({ open: part.open ? [...open, name] : open.filter((each) => each !== name) });
    fill();
  });
  return {
    part,
    show(title, contents) {
      summary.textContent = title;
      make = contents;
      fill();
    },
  };
}

/** A store: `get`, `set(changes)`, `subscribe(listener)`. Listeners are called once a frame. */
export function store(data, onHash = true, before = null) {
  let current = onHash ? fromHash(data, location.hash) : carried(data, before);
  const listeners = [];
  let asked = false;
  const tell = () => {
    asked = false;
    if (onHash) {
      const hash = toHash(data, current);
      try {
        history.replaceState(null, '', hash ? `#${hash}` : location.pathname + location.search);
      } catch {
        // A page shown inside another has no address of its own.
      }
    }
    listeners.forEach((told) => told());
  };
  const ask = () => {
    if (!asked) {
      asked = true;
      requestAnimationFrame(tell);
    }
  };
  if (onHash) {
    addEventListener('hashchange', () => {
      current = fromHash(data, location.hash);
      ask();
    });
  }
  return {
    get: () => current,
    set(changes) {
      current = { ...current, ...changes };
      ask();
    },
    /** Calls `listener` now, and when the state changes: with `parts`, only when one of these parts of it does. */
    subscribe(listener, parts = null) {
      let seen = null;
      const told = () => {
        const now = parts && JSON.stringify(parts.map((part) => current[part]));
        if (now !== null && now === seen) return;
        seen = now;
        listener(current);
      };
      listeners.push(told);
      told();
    },
  };
}
