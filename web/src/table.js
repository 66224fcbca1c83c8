// Every point in a table that can be filtered and sorted.

import { interval, quantity } from './format.js';
import { html } from './svg.js';
import { verdict } from './model.js';
import { WORDS } from './frontier.js';

const FIGURES = ['slo_attainment', 'utilization', 'mean_ready'];

export function mountTable(host, data, store, view) {
  const field = html('input', { type: 'search', placeholder: 'filter, as in 0.9 or kept', 'aria-label': 'Filter the table' });
  const box = html('input', { type: 'checkbox' });
  const count = html('span', { class: 'note', role: 'status' });
  const wrap = html('div', { class: 'wide tall', tabindex: 0, role: 'region', 'aria-label': `Settings of ${data.title}` });
  host.append(html('h2', {}, 'Settings'), html('div', { class: 'tools' }, field, html('label', {}, box, ' frontier only'), count), wrap);
  field.value = store.get().query;
  box.checked = store.get().onlyFrontier;
  field.addEventListener('input', () => store.set({ query: field.value }));
  box.addEventListener('change', () => store.set({ onlyFrontier: box.checked }));
  store.subscribe(() => {
    const focused = wrap.contains(document.activeElement) ? document.activeElement.dataset : null;
    const { table, rows } = drawn(data, view(), store);
    wrap.replaceChildren(table);
    count.textContent = `${rows} of ${data.points.length}`;
    if (focused?.row) wrap.querySelector(`[data-row="${focused.row}"]`)?.focus({ preventScroll: true });
    else if (focused?.sort) wrap.querySelector(`[data-sort="${CSS.escape(focused.sort)}"]`)?.focus({ preventScroll: true });
  }, ['x', 'y', 'slo', 'facets', 'selected', 'pinned', 'sort', 'query', 'onlyFrontier']);
  wrap.addEventListener('keydown', (event) => {
    const row = event.target.closest('tr[data-row]');
    if (!row) return;
    const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
    if (next) next.focus();
    else if (event.key === 'Enter' || event.key === ' ') store.set({ selected: Number(row.dataset.row) });
    else if (event.key === 'p') store.set({ pinned: Number(row.dataset.row) });
    else return;
    event.preventDefault();
  });
}

function columns(data, state) {
  const variants = data.points.some((point) => point.variant !== null);
  const title = (name) => (name === data.x ? data.x_title : name === data.y ? data.y_title : name === 'slo_attainment' ? 'within SLO' : name === 'mean_ready' ? 'instances' : name);
  const number = (text) => (text === null ? null : Number.parseFloat(text));
  return [
    variants && { key: 'variant', title: 'variant', of: (place) => data.points[place].variant ?? '', text: true },
    ...data.paths.map((path, index) => ({
      key: path, title: data.shorts[index], full: path, of: (place) => data.points[place].settings[index] ?? '',
      by: (place) => number(data.points[place].settings[index]),
    })),
    // Beside the settings, so that a narrow screen shows it without scrolling.
    { key: 'standing', title: 'standing', text: true, standing: true, of: (place) => WORDS[verdict(data, place, state.slo)] ?? '' },
    ...[...new Set([state.x, state.y, ...FIGURES])].filter((name) => data.has(name)).map((name) => ({
      key: name, title: title(name), full: data.figure(name).doc, figure: name,
      of: (place) => quantity(data.of(place, name).mean, data.figure(name).unit, data.currency),
      range: (place) => name === state.x || name === state.y ? interval(data.of(place, name), data.figure(name).unit, data.currency) : '',
      by: (place) => data.of(place, name).mean,
    })),
  ].filter(Boolean);
}

function standing(data, { state, derived }, place) {
  const kept = verdict(data, place, state.slo);
  const words = [];
  if (derived.frontier.includes(place)) words.push(data.points[place].frontier_uncertain ? 'frontier?' : 'frontier');
  if (place === derived.knee) words.push('knee');
  if (state.slo !== null && place === derived.cheapest) words.push(derived.confirmed ? 'cheapest within SLO' : 'cheapest on average');
  if (place === data.today) words.push('today');
  return { kept, words };
}

function drawn(data, now, store) {
  const { state, derived } = now;
  const all = columns(data, state);
  const on = new Set(derived.frontier);
  const query = state.query.trim().toLowerCase();
  const [key, way] = (state.sort ?? `${state.x} up`).split(' ');
  const sorter = all.find((column) => column.key === key) ?? all[0];
  const shown = derived.places
    .map((place) => ({ place, standing: standing(data, now, place) }))
    .filter(({ place }) => !state.onlyFrontier || on.has(place))
    .filter(({ place, standing: { kept, words } }) => {
      const text = [...all.map((column) => column.of(place)), ...words, WORDS[kept] ?? ''].join(' ').toLowerCase();
      return query.split(/\s+/).every((word) => text.includes(word));
    });
  const value = ({ place }) => sorter?.by?.(place) ?? sorter?.of(place) ?? place;
  const sign = way === 'down' ? -1 : 1;
  shown.sort((a, b) => {
    const [one, other] = [value(a), value(b)];
    return sign * (typeof one === 'number' && typeof other === 'number' ? one - other : String(one).localeCompare(String(other))) || a.place - b.place;
  });
  const head = (column) => {
    const sorted = sorter === column ? (way === 'down' ? 'descending' : 'ascending') : null;
    const turn = () => store.set({ sort: `${column.key} ${sorted === 'ascending' ? 'down' : 'up'}` });
    return html('th', { scope: 'col', class: column.text ? null : 'number', 'aria-sort': sorted, title: column.full }, html('button', { type: 'button', 'data-sort': column.key, onclick: turn }, column.title, sorted ? (sorted === 'ascending' ? ' ▲' : ' ▼') : ''));
  };
  const row = ({ place, standing: { kept, words } }) =>
    html(
      'tr',
      {
        'data-row': place, tabindex: 0, 'aria-selected': String(place === state.selected), class: place === state.pinned ? 'pin' : null,
        onclick: (event) => store.set(event.shiftKey ? { pinned: place } : { selected: place }),
      },
      ...all.map((column) => (column.standing
        ? html('td', {}, kept ? html('span', { class: `tag ${kept}` }, WORDS[kept]) : null, words.length ? ` ${words.join(', ')}` : '')
        : html('td', { class: column.text ? null : 'number' }, column.of(place), column.range?.(place) ? html('small', {}, ` ${column.range(place)}`) : null))),
    );
  const table = html(
    'table',
    { 'aria-label': 'Settings', role: 'grid' },
    html('thead', {}, html('tr', {}, ...all.map(head))),
    html('tbody', {}, ...shown.map(row)),
  );
  return { table, rows: shown.length };
}
