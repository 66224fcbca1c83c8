// One run over time: lanes that share zoom and cursor, scaling events with their reasons, and the worst episodes marked.

import { clock, plain, quantity, short } from './format.js';
import { axis, spansDecades, timeTicks } from './scale.js';
import { html, onWidth, path, svg } from './svg.js';
import { unfolding } from './state.js';
import { episodes } from './model.js';

const LEFT = 62;
const RIGHT = 12;
/** Room between two lanes: for the triangles of the upper and the title of the lower. */
const BETWEEN = 34;

/** The lanes: what is drawn of the windows, and how. */
function lanes(data, run) {
  const { windows } = run;
  const rate = windows.arrived.map((arrived, place) => arrived / windows.length_s[place]);
  const queue = windows.waiting.some((value) => value > 0.01);
  return [
    { title: 'arrivals, requests/s', unit: 'per_second', series: [{ name: 'arrivals', css: 'a', values: rate, fill: true, step: true }] },
    ...(windows.prefill_ready ? ofPools(windows) : [
      instances(windows),
      queue && { title: 'requests waiting', unit: 'requests', series: [{ name: 'waiting', css: 'd', values: windows.waiting, step: true }] },
    ]),
    times(data, windows),
    windows.burn_rate.some((value) => value !== null) && { title: 'burn rate', unit: 'budgets', limit: 1, limitName: 'what the error budget allows', series: [{ name: 'burn rate', css: 'g', values: windows.burn_rate, fill: true, step: true }] },
  ].filter(Boolean);
}

/** The lane of instances: of one of two pools, if one is named. */
function instances(windows, pool) {
  const of = (name) => windows[pool ? `${pool}_${name}` : name];
  const series = [{ name: 'desired', css: 'c', values: of('desired'), step: true }, { name: 'ready', css: 'b', values: of('ready'), fill: true, step: true }];
  return { title: pool ? `instances of the ${pool} pool` : 'instances', unit: 'instances', series, events: true, pool };
}

/** The lanes of two pools: the instances of each, and where requests wait and are, the way of their caches in between. */
function ofPools(windows) {
  const parts = (title, names) => {
    const series = [['prefill', 'a'], ['transfer', 'g'], ['decode', 'b']].map(([name, css], part) => ({ name, css, values: windows[names[part]], step: true }));
    return { title, unit: 'requests', series, named: true };
  };
  return [
    instances(windows, 'prefill'),
    instances(windows, 'decode'),
    parts('requests waiting for', ['prefill_waiting', 'transfer_waiting', 'decode_waiting']),
    parts('requests in flight in', ['prefill_in_flight', 'transfer_under_way', 'decode_in_flight']),
  ];
}

/** The lane of times: the one promised against its own line, beside the median if it is a latency; else the p99. */
function times(data, windows) {
  const median = { name: 'p50', css: 'e', values: windows.latency_p50_s };
  const { promised } = data;
  if (!promised) return { title: 'p50 and p99 by window', unit: 'seconds', series: [median, { name: 'p99', css: 'f', values: windows.latency_p99_s }] };
  const series = [{ name: promised.name, css: 'f', values: windows.promised_s }];
  if (promised.is_latency && promised.name !== 'p50') series.unshift(median);
  return { title: `${series.map(({ name }) => name).join(' and ')} by window`, unit: 'seconds', limit: promised.seconds, limitName: `SLO ${quantity(promised.seconds, 'seconds')}`, series };
}

export function mountTimeline(host, data, store, view) {
  const title = html('h2');
  const canvas = html('div', { class: 'canvas', tabindex: 0, role: 'group', 'aria-label': 'Timeline: arrow keys move the cursor, plus and minus zoom, Escape shows all' });
  const readout = html('p', { class: 'note readout', role: 'status' });
  const tools = html('div', { class: 'actions' });
  const worst = html('div');
  const log = unfolding(store, 'log', { class: 'log' });
  host.append(title, canvas, readout, tools, worst, log.part);
  let cursor = null;
  let frame = null;
  const range = (run) => {
    const zoom = store.get().zoom;
    const whole = [0, run.duration_s];
    return zoom && zoom[0] < run.duration_s ? [Math.max(0, zoom[0]), Math.min(run.duration_s, zoom[1])] : whole;
  };
  const current = () => {
    const { state } = view();
    const own = state.selected === null ? null : data.run(state.selected);
    return own ?? data.runs[0];
  };
  const draw = (width) => {
    const run = current();
    host.hidden = !run;
    if (!run) return;
    const { state } = view();
    const own = data.run(state.selected) === run;
    title.replaceChildren('Over time ', html('span', { class: 'note' }, `${run.title}, replication 0${own ? '' : ' (the selected setting was not run window by window)'}`));
    const pinned = state.pinned === null || state.pinned === state.selected ? null : data.run(state.pinned);
    frame = drawn(data, run, pinned, width, range(run));
    canvas.replaceChildren(frame.root);
    show(cursor);
    const zoomed = range(run)[1] - range(run)[0] < run.duration_s;
    tools.replaceChildren(...(zoomed ? [html('button', { type: 'button', onclick: () => store.set({ zoom: null }) }, 'Show all')] : []));
    worst.replaceChildren(...table(data, run, store));
    decisions(log, run, range(run), store);
  };
  const show = (at) => {
    cursor = at;
    if (!frame) return;
    const run = current();
    frame.line.setAttribute('visibility', at === null ? 'hidden' : 'visible');
    if (at === null) {
      readout.textContent = 'Point at the chart to read it; drag to zoom.';
      return;
    }
    frame.line.setAttribute('x1', frame.x.at(at));
    frame.line.setAttribute('x2', frame.x.at(at));
    readout.textContent = read(data, run, at, frame.x);
  };
  const redraw = onWidth(host, canvas, draw);
  store.subscribe(() => {
    // What is hidden has no width: it is drawn as soon as it is shown.
    if (current()) host.hidden = false;
    redraw();
  }, ['selected', 'pinned', 'zoom']);
  const time = (event) => {
    const box = canvas.getBoundingClientRect();
    return Math.min(frame.x.high, Math.max(frame.x.low, frame.x.value(event.clientX - box.left)));
  };
  let from = null;
  canvas.addEventListener('pointermove', (event) => {
    show(time(event));
    if (from !== null) frame.select(from, time(event));
  });
  canvas.addEventListener('pointerdown', (event) => {
    if (event.pointerType === 'mouse' && event.button === 0) from = time(event);
  });
  canvas.addEventListener('pointerup', (event) => {
    const to = time(event);
    const wide = from !== null && Math.abs(frame.x.at(to) - frame.x.at(from)) > 6;
    if (wide) store.set({ zoom: [Math.min(from, to), Math.max(from, to)] });
    from = null;
    frame.select(0, 0);
  });
  canvas.addEventListener('pointerleave', () => show(null));
  canvas.addEventListener('dblclick', () => store.set({ zoom: null }));
  canvas.addEventListener('keydown', (event) => {
    const run = current();
    const [low, high] = range(run);
    const middle = cursor ?? (low + high) / 2;
    const step = (high - low) / (event.shiftKey ? 10 : 100);
    const zoom = (times) => {
      const half = Math.max(30, ((high - low) * times) / 2);
      const wide = half * 2 >= run.duration_s;
      store.set({ zoom: wide ? null : [Math.max(0, middle - half), Math.min(run.duration_s, middle + half)] });
    };
    const does = {
      ArrowLeft: () => show(Math.max(low, middle - step)), ArrowRight: () => show(Math.min(high, middle + step)),
      '+': () => zoom(0.5), '=': () => zoom(0.5), '-': () => zoom(2), Escape: () => store.set({ zoom: null }),
    }[event.key];
    if (!does) return;
    does();
    event.preventDefault();
  });
}

/** The number of instances before and after a decision, and of which pool they are where there are two. */
function change([, before, after, , pool]) {
  return `${pool ? `${pool} ` : ''}${before} → ${after}`;
}

/** Instances and requests waiting, of each pool where there are two. */
function standing(windows, place) {
  const at = (name) => plain(windows[name][place]);
  if (!windows.prefill_ready) return [`${windows.ready[place]} ready of ${windows.desired[place]} desired`, `${at('waiting')} waiting`];
  const pool = (name) => `${name}: ${windows[`${name}_ready`][place]} ready of ${windows[`${name}_desired`][place]} desired, ${at(`${name}_waiting`)} waiting, ${at(`${name}_in_flight`)} in flight`;
  return [pool('prefill'), `transfer: ${at('transfer_waiting')} waiting, ${at('transfer_under_way')} under way`, pool('decode')];
}

/** What there is to read at an instant: every lane, and the last decision before it. */
function read(data, run, at, x) {
  const { windows } = run;
  let place = windows.time_s.findIndex((end) => end >= at);
  if (place < 0) place = windows.time_s.length - 1;
  const lane = times(data, windows);
  const answered = lane.series.some(({ values }) => values[place] !== null);
  const burn = windows.burn_rate[place];
  const event = run.events.filter(([when]) => when <= at).at(-1);
  const parts = [
    clock(at, x.high - x.low, run.duration_s),
    `${plain(windows.arrived[place] / windows.length_s[place])} requests/s`,
    ...standing(windows, place),
    answered ? lane.series.map(({ name, values }) => `${name} ${quantity(values[place], 'seconds')}`).join(', ') : 'no answer',
    burn === null ? null : `burn rate ${plain(burn)}`,
    event ? `last decision ${clock(event[0], 1, run.duration_s)}: ${change(event)}, ${event[3]}` : null,
  ];
  return parts.filter(Boolean).join(' · ');
}

function drawn(data, run, pinned, width, [low, high]) {
  const x = axis(low, high, LEFT, width - RIGHT, false);
  const all = lanes(data, run);
  const other = pinned ? lanes(data, pinned) : [];
  const parts = [];
  let top = 20;
  for (const lane of all) {
    const tall = lane.unit === 'seconds' ? 96 : 76;
    parts.push(...draw(run, lane, other.find((each) => each.title === lane.title), pinned, x, top, tall));
    top += tall + BETWEEN;
  }
  const bottom = top - BETWEEN;
  for (const { from, to } of episodes(run, data)) {
    if (to < low || from > high) continue;
    const [left, right] = [Math.max(LEFT, x.at(from)), Math.min(width - RIGHT, x.at(to))];
    parts.unshift(svg('rect', { class: 'episode', x: left, y: 8, width: Math.max(2, right - left), height: bottom - 8 }));
  }
  let free = 0;
  for (const tick of timeTicks(low, high, Math.max(2, Math.floor(width / 90)))) {
    const text = clock(tick, high - low, run.duration_s);
    const long = text.length * 6.6;
    const left = Math.min(x.at(tick) - long / 2, width - RIGHT - long);
    if (left < free) continue;
    free = left + long + 6;
    parts.push(svg('text', { class: 'soft', x: left + long / 2, y: bottom + 18, 'text-anchor': 'middle' }, text));
  }
  const line = svg('line', { class: 'cursor', y1: 8, y2: bottom, visibility: 'hidden' });
  const selection = svg('rect', { class: 'selection', y: 8, height: bottom - 8, width: 0 });
  const root = svg('svg', { width, height: bottom + 26, viewBox: `0 0 ${width} ${bottom + 26}`, role: 'img', 'aria-label': `Arrivals, instances, waiting requests and latency of ${run.title} over time` }, ...parts, selection, line);
  const select = (a, b) => {
    selection.setAttribute('x', Math.min(x.at(a), x.at(b)));
    selection.setAttribute('width', Math.abs(x.at(a) - x.at(b)));
  };
  return { root, x, line, select };
}

/** The title of a lane, with the names of its series in their colours where it has several of a kind. */
function named(lane) {
  if (!lane.named) return [lane.title];
  return [lane.title, ...lane.series.map(({ name, css }, place) => svg('tspan', { class: `named ${css}` }, `${place ? ',' : ''} ${name}`))];
}

function draw(run, lane, behind, pinned, x, top, tall) {
  const bottom = top + tall;
  const inView = (windows) => windows.time_s.map((end, place) => [end, windows.length_s[place], place]).filter(([end, length]) => end > x.low && end - length < x.high);
  const views = inView(run.windows);
  const values = lane.series.flatMap((each) => views.map(([, , place]) => each.values[place])).filter((value) => value !== null);
  let high = Math.max(...values, 1e-9);
  if (lane.limit && lane.limit < high * 3) high = Math.max(high, lane.limit * 1.1);
  // One bad window must not flatten all others: latencies that span decades are drawn by their logarithm.
  const log = lane.unit === 'seconds' && spansDecades(values);
  const low = log ? Math.min(...values.filter((value) => value > 0)) / 1.2 : 0;
  const scale = axis(low, high, bottom, top, log);
  const y = (value) => Math.max(top, Math.min(bottom, scale.at(value)));
  const clip = (time) => Math.max(x.from, Math.min(x.to, x.at(time)));
  const trace = (series, seen) =>
    seen.flatMap(([end, length, place]) => {
      const value = series.values[place];
      const at = value === null ? NaN : y(value);
      return series.step ? [[clip(end - length), at], [clip(end), at]] : [[clip(end - length / 2), at]];
    });
  const limit = lane.limit && lane.limit <= high && (!log || lane.limit >= low);
  const parts = [
    svg('text', { class: 'soft', x: 4, y: top - 6 }, ...named(lane), [lane.unit === 'seconds' ? ` (${log ? 'log' : 'linear'})` : '', limit ? `, dashed: ${lane.limitName}` : ''].join('')),
    log && svg('text', { class: 'soft', x: LEFT - 6, y: bottom + 2, 'text-anchor': 'end' }, quantity(low, 'seconds')),
    svg('text', { class: 'soft', x: LEFT - 6, y: top + 9, 'text-anchor': 'end' }, lane.unit === 'seconds' ? quantity(high, 'seconds') : short(high)),
    svg('line', { class: 'grid', x1: x.from, x2: x.to, y1: bottom, y2: bottom }),
    svg('line', { class: 'grid', x1: x.from, x2: x.to, y1: top, y2: top }),
  ].filter(Boolean);
  if (behind) {
    for (const series of behind.series) parts.push(svg('path', { class: 'line pin', d: path(trace(series, inView(pinned.windows))) }));
  }
  for (const series of lane.series) {
    const points = trace(series, views);
    if (series.fill && points.length) {
      parts.push(svg('path', { class: `area ${series.css}`, d: unbroken(points).map((some) => `${path(some)}L${some.at(-1)[0]} ${bottom}L${some[0][0]} ${bottom}Z`).join('') }));
    }
    parts.push(svg('path', { class: `line ${series.css}`, d: path(points) }));
  }
  if (limit) parts.push(svg('line', { class: 'limit', x1: x.from, x2: x.to, y1: y(lane.limit), y2: y(lane.limit) }));
  if (lane.events) parts.push(...events(run, lane.pool, x, bottom));
  return parts;
}

/** The stretches of points without a gap. */
function unbroken(points) {
  const stretches = [[]];
  for (const point of points) {
    if (point.every(Number.isFinite)) stretches.at(-1).push(point);
    else if (stretches.at(-1).length) stretches.push([]);
  }
  return stretches.filter((some) => some.length);
}

/** Scaling events as triangles below the instances: up or down, with the reason as their title. */
function events(run, pool, x, bottom) {
  const seen = run.events.filter((event) => event[4] === pool && event[0] >= x.low && event[0] <= x.high);
  // Of those that would cover one another the first is drawn: a closer look shows the others.
  const last = { true: -Infinity, false: -Infinity };
  return seen.map(([at, before, after, reason]) => {
    const up = after > before;
    const left = x.at(at);
    if (left < last[up] + 4) return null;
    last[up] = left;
    const shape = up ? `M${left - 4} ${bottom + 9}l4 -7l4 7z` : `M${left - 4} ${bottom + 2}l4 7l4 -7z`;
    return svg('path', { class: up ? 'event up' : 'event down', d: shape }, svg('title', {}, `${clock(at, 1, run.duration_s)}: ${before} → ${after}. ${reason}`));
  }).filter(Boolean);
}

/** Rows of the decision log that are shown at once; the rest comes with a closer look at the timeline. */
const MOST_DECISIONS = 200;

/** The decisions that changed the number of instances, as far as the timeline shows their time. */
function decisions(log, run, [low, high], store) {
  const seen = run.events.filter(([at]) => at >= low && at <= high);
  const row = (event) => {
    const [at, , , reason] = event;
    const zoom = () => store.set({ zoom: [Math.max(0, at - 600), Math.min(run.duration_s, at + 600)] });
    return html('tr', {},
      html('td', {}, html('button', { type: 'button', class: 'link', onclick: zoom }, clock(at, 1, run.duration_s))),
      html('td', { class: 'number' }, change(event)), html('td', {}, reason));
  };
  const part = high - low < run.duration_s ? ' in this part' : '';
  const more = seen.length - MOST_DECISIONS;
  log.show(`Decision log: ${seen.length} changes of the number of instances${part}`, () => [
    seen.length > 0 && html('div', { class: 'wide tall', tabindex: 0, role: 'region', 'aria-label': 'Decision log' },
      html('table', {}, html('thead', {}, html('tr', {}, html('th', { scope: 'col' }, 'when'), html('th', { scope: 'col', class: 'number' }, 'instances'), html('th', { scope: 'col' }, 'reason'))), html('tbody', {}, ...seen.slice(0, MOST_DECISIONS).map(row)))),
    more > 0 && html('p', { class: 'note' }, `${more} more: zoom in to see them.`),
  ].filter(Boolean));
}

/** The worst episodes, each a row that zooms to it. */
function table(data, run, store) {
  const found = episodes(run, data);
  const name = data.promised?.name ?? 'p99';
  if (!found.length) return [];
  const fine = run.duration_s < 21600 ? 1 : 3600;
  const row = ({ from, to, late, longest }) => {
    const around = run.events.filter(([at, before, after]) => at >= from - 300 && at <= to && after > before);
    const why = around.length ? `${around.map((event) => `${clock(event[0], 1, run.duration_s)}: ${change(event)}`).slice(0, 3).join('; ')}. ${around[0][3]}` : 'no instance was asked for then';
    const more = Math.max(600, (to - from) * 1.5);
    const zoom = () => store.set({ zoom: [Math.max(0, from - more), Math.min(run.duration_s, to + more)] });
    return html('tr', {},
      html('td', {}, html('button', { type: 'button', class: 'link', onclick: zoom }, `${clock(from, fine, run.duration_s)} to ${clock(to, fine, run.duration_s)}`)),
      html('td', { class: 'number' }, plain(late)), html('td', { class: 'number' }, longest ? quantity(longest, 'seconds') : '–'), html('td', {}, why));
  };
  return [
    html('h3', {}, 'Worst episodes'),
    html('div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': 'Worst episodes' }, html('table', { class: 'episodes' }, html('thead', {}, html('tr', {}, html('th', { scope: 'col' }, 'when'), html('th', { scope: 'col', class: 'number' }, 'late or lost'), html('th', { scope: 'col', class: 'number' }, name), html('th', { scope: 'col' }, 'scaling up then'))), html('tbody', {}, ...found.map(row)))),
  ];
}
