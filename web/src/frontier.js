// The chart of the points: two figures against each other, the frontier, the knee and the promise, which can be dragged.

import { estimate, plain, quantity } from './format.js';
import { axis, extent, spansDecades } from './scale.js';
import { html, onWidth, path, svg } from './svg.js';
import { verdict } from './model.js';

/** What a verdict is called. */
export const WORDS = { yes: 'kept', so_far: 'kept so far', no: 'missed', uncertain: 'uncertain' };

/** The look of a verdict: shape and colour, so that neither alone has to tell. */
const LOOKS = {
  yes: { css: 'good', shape: 'dot' },
  so_far: { css: 'good', shape: 'dot' },
  uncertain: { css: 'open', shape: 'ring' },
  no: { css: 'bad', shape: 'cross' },
};

/** The title of a figure: on an axis with its scale, logarithmic or not; elsewhere, with none, the name alone. */
export function axisTitle(data, name, log = null) {
  const figure = data.figure(name);
  const title = name === data.x ? data.x_title : name === data.y ? data.y_title : figure?.name ?? name;
  return log === null ? title : `${title} (${log ? 'log' : 'linear'} scale)`;
}

/** Mounts the chart in `host`; `view()` gives state and what is derived from it. */
export function mountFrontier(host, data, store, view) {
  const tip = html('div', { class: 'tip', role: 'status', hidden: true });
  const canvas = html('div', { class: 'canvas' });
  const key = html('p', { class: 'note key' });
  host.append(canvas, tip, key);
  let current = null;
  const draw = (width) => {
    const focus = canvas.contains(document.activeElement) ? document.activeElement.getAttribute('data-focus') : null;
    current = drawn(data, view(), width, store);
    canvas.replaceChildren(current.root);
    key.replaceChildren(...legend(data, view().derived));
    if (focus) canvas.querySelector(`[data-focus="${focus}"]`)?.focus({ preventScroll: true });
  };
  store.subscribe(onWidth(host, canvas, draw), ['x', 'y', 'slo', 'facets', 'selected', 'pinned', 'now']);
  const nearest = (event) => {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let best = null;
    for (const mark of current.marks) {
      const away = Math.hypot(mark.x - x, mark.y - y);
      if (away < 22 && (!best || away < best.away)) best = { ...mark, away };
    }
    return best;
  };
  let dragging = false;
  const dragTo = (event) => {
    const box = canvas.getBoundingClientRect();
    const pixel = Math.min(current.y.from, Math.max(current.y.to, event.clientY - box.top));
    store.set({ slo: Number(current.y.value(pixel).toPrecision(3)) });
  };
  canvas.addEventListener('pointerdown', (event) => {
    if (event.target.closest?.('.slo')) {
      dragging = true;
      canvas.setPointerCapture(event.pointerId);
      event.preventDefault();
    }
  });
  canvas.addEventListener('pointermove', (event) => {
    if (dragging) return dragTo(event);
    const mark = nearest(event);
    tip.hidden = !mark;
    if (!mark) return undefined;
    describe(tip, data, view().state, mark.place);
    const left = Math.min(Math.max(0, mark.x + 14), canvas.clientWidth - tip.offsetWidth);
    const over = mark.y - tip.offsetHeight - 10;
    tip.style.transform = `translate(${left}px, ${over > 0 ? over : mark.y + 14}px)`;
    return undefined;
  });
  canvas.addEventListener('pointerleave', () => {
    tip.hidden = true;
  });
  canvas.addEventListener('pointerup', () => {
    dragging = false;
  });
  canvas.addEventListener('click', (event) => {
    const mark = event.target.closest?.('.slo') ? null : nearest(event);
    if (mark) store.set(event.shiftKey ? { pinned: mark.place } : { selected: mark.place });
  });
  canvas.addEventListener('keydown', (event) => keys(event, data, store, view, current));
}

/** Arrows move along the points by the first axis, or move the promise where its line has the focus. */
function keys(event, data, store, view, current) {
  const { state } = view();
  if (event.target.classList?.contains('slo')) {
    const turn = { ArrowUp: 1.02, ArrowDown: 1 / 1.02, PageUp: 1.2, PageDown: 1 / 1.2 }[event.key];
    if (turn) store.set({ slo: Number((state.slo * turn).toPrecision(4)) });
    else if (event.key === 'Home' || event.key === 'Escape') store.set({ slo: data.slo.seconds });
    else return;
    event.preventDefault();
    return;
  }
  const order = current.marks.slice().sort((a, b) => a.x - b.x || a.y - b.y);
  const at = order.findIndex((mark) => mark.place === state.selected);
  const move = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: order.length - 1 }[event.key];
  if (move !== undefined && order[Math.min(order.length - 1, Math.max(0, move))]) {
    store.set({ selected: order[Math.min(order.length - 1, Math.max(0, move))].place });
  } else if (event.key === 'p' || event.key === 'Enter') {
    store.set({ pinned: state.pinned === state.selected ? null : state.selected });
  } else if (event.key === 'Escape') {
    store.set({ pinned: null });
  } else {
    return;
  }
  event.preventDefault();
}

/** What is said of a point beside the pointer. */
function describe(tip, data, state, place) {
  const line = (name, label) =>
    data.has(name) ? html('div', {}, html('span', {}, label), ` ${estimate(data.of(place, name), data.figure(name).unit, data.currency)}`) : null;
  const kept = verdict(data, place, state.slo);
  tip.replaceChildren(
    html('b', {}, data.name(place)),
    line(state.x, axisTitle(data, state.x)),
    line(state.y, axisTitle(data, state.y)),
    data.slo && state.y !== 'slo_attainment' ? line('slo_attainment', 'within SLO') : '',
    kept ? html('div', {}, html('span', {}, 'SLO'), ` ${WORDS[kept]}`) : '',
    html('div', { class: 'hint' }, 'click to select, Shift-click to pin'),
  );
}

/** Which colour is which variant, where there are several. */
function legend(data, derived) {
  if (!data.series || derived.lines.length < 2) return [];
  const names = new Map(derived.places.map((place) => [data.points[place].series, data.points[place].variant ?? 'base']));
  return [...names].map(([series, name]) => html('span', {}, html('i', { class: `swatch v${series % 6}`, 'aria-hidden': 'true' }), name));
}

const MARGIN = { top: 30, right: 14, bottom: 44, left: 62 };

function drawn(data, { state, derived }, width, store) {
  const height = Math.round(Math.min(540, Math.max(300, width * 0.68)));
  const values = (name) => derived.places.map((place) => data.of(place, name).mean).filter((value) => value !== null);
  const ends = (name) => derived.places.flatMap((place) => Object.values(data.of(place, name))).filter((value) => value !== null);
  const [logX, logY] = [state.x, state.y].map((name) => spansDecades(values(name)));
  const live = (name) => [data.now?.(name)?.mean].filter((value) => value !== null && value !== undefined);
  const onLatency = state.slo !== null && state.y === data.y;
  // Of few points the intervals too, of a wide one as far as half the points' own extent: it must not squeeze them.
  const some = (name) => {
    const means = values(name);
    if (derived.places.length > 60 || means.length < 2) return means;
    const [least, most] = [Math.min(...means), Math.max(...means)];
    const [below, above] = spansDecades(means) ? [least / 2, most * 2] : [least - (most - least) / 2, most + (most - least) / 2];
    return most > least ? ends(name).map((value) => Math.max(below, Math.min(above, value))) : ends(name);
  };
  let [low, high] = extent([...some(state.y), ...live(state.y)], logY);
  // A promise far from all points is named at the edge; it must not squeeze them.
  const reach = logY ? 3 : 1.6;
  if (onLatency && state.slo > high && state.slo < high * reach) high = state.slo * 1.05;
  if (onLatency && state.slo < low && state.slo > low / reach) low = state.slo / 1.05;
  const x = axis(...extent([...some(state.x), ...live(state.x)], logX), MARGIN.left, width - MARGIN.right, logX);
  const y = axis(low, high, height - MARGIN.bottom, MARGIN.top, logY);
  const [unitX, unitY] = [state.x, state.y].map((name) => data.figure(name)?.unit);
  const marks = derived.places
    .map((place) => ({ place, x: x.at(data.of(place, state.x).mean ?? NaN), y: y.at(data.of(place, state.y).mean ?? NaN) }))
    .filter((mark) => Number.isFinite(mark.x) && Number.isFinite(mark.y));
  const parts = [
    ...x.ticks.map((tick) => [
      svg('line', { class: 'grid', x1: x.at(tick), x2: x.at(tick), y1: y.from, y2: y.to }),
      svg('text', { class: 'soft', x: x.at(tick), y: y.from + 17, 'text-anchor': 'middle' }, unitX === 'currency' ? plain(tick) : quantity(tick, unitX, data.currency)),
    ]),
    ...y.ticks.map((tick) => [
      svg('line', { class: 'grid', x1: x.from, x2: x.to, y1: y.at(tick), y2: y.at(tick) }),
      svg('text', { class: 'soft', x: x.from - 7, y: y.at(tick) + 4, 'text-anchor': 'end' }, unitY === 'currency' ? plain(tick) : quantity(tick, unitY, data.currency)),
    ]),
    svg('text', { class: 'soft', x: x.to, y: height - 8, 'text-anchor': 'end' }, axisTitle(data, state.x, logX)),
    svg('text', { class: 'soft', x: 4, y: 14 }, axisTitle(data, state.y, logY)),
  ].flat();
  const on = new Set(derived.lines.flatMap(({ members }) => members));
  const at = new Map(marks.map((mark) => [mark.place, mark]));
  for (const { series, members } of derived.lines) {
    const line = members.map((place) => at.get(place)).filter(Boolean);
    const css = series === null ? 'frontier' : `frontier v${series % 6}`;
    if (line.length > 1) parts.push(svg('path', { class: css, d: path(line.map((mark) => [mark.x, mark.y])) }));
  }
  for (const place of [state.pinned, state.selected]) {
    const mark = at.get(place);
    if (mark) parts.push(...bars(data, state, place, x, y), svg('circle', { class: place === state.selected ? 'halo' : 'halo pin', cx: mark.x, cy: mark.y, r: 12 }));
  }
  // The points of the frontier over the others, the one that is selected over all.
  const rank = (mark) => (mark.place === state.selected ? 2 : on.has(mark.place) ? 1 : 0);
  for (const mark of marks.slice().sort((a, b) => rank(a) - rank(b))) parts.push(point(data, state, mark, on.has(mark.place)));
  const slo = onLatency ? promise(data, state, x, y, marks) : null;
  if (slo) parts.push(...slo.parts);
  const current = data.now ? now(data, state, x, y) : null;
  if (current) parts.push(...current.parts);
  parts.push(...labels(data, state, derived, at, { right: width - 2, bottom: y.from - 2 }, [slo?.box, current?.box].filter(Boolean)));
  const root = svg(
    'svg',
    {
      width, height, viewBox: `0 0 ${width} ${height}`, role: 'group', tabindex: 0, 'data-focus': 'chart',
      'aria-label': `${axisTitle(data, state.y, logY)} against ${axisTitle(data, state.x, logX)} of ${marks.length} settings. Arrow keys select a setting, Enter pins it.`,
    },
    ...parts,
  );
  return { root, marks, x, y };
}

function bars(data, state, place, x, y) {
  const [across, up] = [data.of(place, state.x), data.of(place, state.y)];
  const [cx, cy] = [x.at(across.mean), y.at(up.mean)];
  const bar = (x1, y1, x2, y2) => svg('line', { class: 'bar', x1, y1, x2, y2 });
  return [
    across.low !== null && bar(x.at(across.low), cy, Math.min(x.to, x.at(across.high)), cy),
    up.low !== null && bar(cx, Math.max(y.to, Math.min(y.from, y.at(up.low))), cx, Math.max(y.to, y.at(up.high))),
  ].filter(Boolean);
}

function point(data, state, { place, x, y }, onFrontier) {
  const { css, shape } = LOOKS[verdict(data, place, state.slo)] ?? { css: 'plain', shape: 'dot' };
  const series = data.series ? ` v${data.points[place].series % 6}` : '';
  // Where there is a frontier the points beside it stand back.
  const back = data.command === 'sweep' && !onFrontier && place !== state.selected;
  const attributes = { class: `point ${css}${series}${back ? ' off' : ''}`, 'data-point': place };
  if (shape === 'cross') return svg('path', { ...attributes, d: `M${x - 5} ${y - 5}l10 10m0 -10l-10 10` });
  return svg('circle', { ...attributes, cx: x, cy: y, r: shape === 'ring' ? 5 : 5.5 });
}

/** The setting that the sliders make, which need not be one of the points. */
function now(data, state, x, y) {
  const [across, up] = [data.now(state.x), data.now(state.y)];
  if (across?.mean === null || up?.mean === null || !across || !up) return null;
  const [cx, cy] = [x.at(across.mean), y.at(up.mean)];
  const ahead = cx + 42 <= x.to;
  const bar = (x1, y1, x2, y2) => svg('line', { class: 'bar', x1, y1, x2, y2 });
  const parts = [
    across.low !== null && bar(x.at(across.low), cy, Math.min(x.to, x.at(across.high)), cy),
    up.low !== null && bar(cx, Math.min(y.from, y.at(up.low)), cx, Math.max(y.to, y.at(up.high))),
    svg('path', { class: 'now', d: `M${cx} ${cy - 9}l9 9l-9 9l-9 -9z` }),
    svg('text', { class: 'label', x: ahead ? cx + 13 : cx - 13, y: cy + 18, 'text-anchor': ahead ? 'start' : 'end' }, 'now'),
  ].filter(Boolean);
  return { parts, box: ahead ? [cx - 9, cy - 9, cx + 42, cy + 22] : [cx - 42, cy - 9, cx + 9, cy + 22] };
}

/** The promise: a line to drag, or an arrow at the edge where it lies beyond. */
function promise(data, state, x, y, marks) {
  const text = `SLO: ${data.y_title} ≤ ${quantity(state.slo, 'seconds')}`;
  const [low, high] = [Math.min(y.low, y.high), Math.max(y.low, y.high)];
  const inside = state.slo >= low && state.slo <= high;
  const place = Math.max(y.to, Math.min(y.from, y.at(state.slo)));
  const grip = {
    class: 'slo', tabindex: 0, role: 'slider', 'data-focus': 'slo', 'aria-orientation': 'vertical', 'aria-label': 'SLO',
    'aria-valuenow': state.slo, 'aria-valuetext': text, 'aria-valuemin': low, 'aria-valuemax': Math.max(high, state.slo),
  };
  const arrow = inside ? '↕' : state.slo > high ? '↑ beyond' : '↓ beyond';
  // Beside the line where it covers the fewest points: above or below, from the right end to the left.
  const long = (text.length + arrow.length + 1) * 6.6;
  const lefts = [0, 0.25, 0.5, 0.75, 1].map((share) => x.to - long - share * Math.max(0, x.to - x.from - long));
  const spots = lefts.flatMap((left) => [place - 20, place + 4].map((top) => [left, top, left + long, top + 16])).filter(([, top, , bottom]) => top >= y.to - 14 && bottom <= y.from);
  const covered = ([left, top, right, bottom]) => marks.filter((mark) => mark.x > left - 8 && mark.x < right + 8 && mark.y > top - 8 && mark.y < bottom + 8).length;
  const box = spots.reduce((best, spot) => (covered(spot) < covered(best) ? spot : best), spots[0]);
  return {
    box,
    parts: [
      svg('g', grip,
        svg('rect', { class: 'grip', x: x.from, y: place - 10, width: x.to - x.from, height: 20 }),
        svg('line', { x1: x.from, x2: x.to, y1: place, y2: place }),
        svg('text', { x: box[2], y: box[1] + 13, 'text-anchor': 'end' }, `${text} ${arrow}`)),
    ],
  };
}

/** Points of which each has its name in the chart, as far as there is room: of settings, and of alternatives that somebody named. */
const NAMED = { settings: 12, alternatives: 24 };

/**
 * Names of the points that matter, the one to choose first, each where it covers least: beside its point, else a little away with a
 * line to it, else shorter; one that would cover another even so is left out.
 */
function labels(data, state, derived, at, edge, others) {
  const named = data.command === 'sweep' ? at.size <= NAMED.settings : at.size <= NAMED.alternatives;
  const names = new Map();
  const add = (place, ...texts) => {
    if (place === null || place === undefined || !at.has(place)) return;
    const own = named && data.command !== 'sweep' ? [data.name(place)] : [];
    names.set(place, [...(names.get(place) ?? [own]), texts]);
  };
  if (state.slo !== null) add(derived.cheapest, derived.confirmed ? 'cheapest that keeps the SLO' : 'cheapest on average', 'cheapest');
  add(data.today, 'today');
  add(derived.knee, 'knee');
  add(state.pinned, 'pinned');
  if (named) for (const place of at.keys()) if (!names.has(place)) names.set(place, [[data.name(place)]]);
  const room = (place) => (place === state.selected || place === state.pinned ? 13 : 7);
  const taken = [...at.values()].map(({ place, x, y }) => [x - room(place), y - room(place), x + room(place), y + room(place)]);
  taken.push(...others);
  // Left of one axis and below the other stand their own labels.
  const free = (box) => box[0] >= MARGIN.left + 2 && box[2] <= edge.right && box[1] >= 18 && box[3] <= edge.bottom && taken.every((other) => box[2] < other[0] || box[0] > other[2] || box[3] < other[1] || box[1] > other[3]);
  const found = [];
  for (const [place, parts] of names) {
    const { x, y } = at.get(place);
    const texts = [parts.map(([text]) => text), parts.map((each) => each.at(-1))].map((all) => all.filter(Boolean).join(', '));
    const placed = (text, away) => {
      const long = text.length * 7;
      const spots = away
        ? [30, 55, 85].flatMap((off) => [[x + 12, y - off - 6], [x + 12, y + off - 6], [x - 12 - long, y - off - 6], [x - 12 - long, y + off - 6], [x + off, y - off / 2], [x - off - long, y - off / 2]])
        : [[x + 15, y - 6], [x - 15 - long, y - 6], [x - long / 2, y + 17], [x - long / 2, y - 28], [x + 15, y + 6], [x + 15, y - 20], [x - 15 - long, y + 6], [x - 8 - long, y + 17]];
      const spot = spots.find(([left, top]) => free([left, top, left + long, top + 13]));
      return spot && { text, box: [spot[0], spot[1], spot[0] + long, spot[1] + 13], away };
    };
    const label = [false, true].flatMap((away) => texts.map((text) => [text, away])).reduce((got, [text, away]) => got ?? placed(text, away), undefined);
    if (!label) continue;
    const [left, top, right] = label.box;
    taken.push(label.box);
    if (label.away) found.push(svg('line', { class: 'lead', x1: x, y1: y, x2: left > x ? left - 2 : right - Math.max(0, right - x - 2), y2: top + 7 }));
    found.push(svg('text', { class: 'label', x: left, y: top + 11 }, label.text));
  }
  return found;
}
