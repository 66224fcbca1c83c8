// The selected point beside the chart: its settings against today's, its figures, its distribution, and what to copy.

import { estimate, quantity } from './format.js';
import { html } from './svg.js';
import { unfolding } from './state.js';
import { verdict } from './model.js';
import { WORDS } from './frontier.js';
import { mountDistribution } from './distribution.js';

/** A value as TOML writes it. */
function literal(value) {
  if (/^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value) || value === 'true' || value === 'false') return value;
  // Escapes of JSON are escapes of TOML; TOML has one character more that must not stand bare.
  return JSON.stringify(value).replace(/\u007f/g, '\\u007f');
}

/** The settings of a point as lines of TOML, to put into the scenario. */
export function asToml(data, place) {
  const { variant, settings } = data.points[place];
  const lines = settings.map((value, index) => (value === null ? null : `${data.paths[index]} = ${literal(value)}`));
  return [variant ? `# variant ${JSON.stringify(variant)}` : null, ...lines].filter(Boolean).join('\n');
}

/** The settings of a point as arguments of the command. */
export function asArguments(data, place) {
  const { variant, settings } = data.points[place];
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const sets = settings.map((value, index) => (value === null ? null : `--set ${quoted(`${data.paths[index]}=${value}`)}`));
  return [variant ? `--variant ${quoted(variant)}` : null, ...sets].filter(Boolean).join(' ');
}

/** Figures that are always shown of a point, besides those of the axes, in words. */
const PLAIN = {
  slo_attainment: 'within the SLO', utilization: 'utilization', mean_ready: 'instances, mean', 'cold.share': 'cold requests',
  'actions.up': 'times scaled up', 'lost.share': 'requests lost',
};
const ALWAYS = Object.keys(PLAIN);

export function mountDetail(host, data, store, view) {
  const shapes = html('div', { class: 'distribution' });
  const body = html('div');
  const said = html('p', { class: 'note', role: 'status', 'aria-live': 'polite' });
  const all = unfolding(store, 'figures');
  host.append(html('div', {}, body, all.part), shapes, said);
  store.subscribe(() => {
    const { state, derived } = view();
    all.part.hidden = state.selected === null;
    if (state.selected === null) return body.replaceChildren(html('p', { class: 'note' }, 'No setting is selected.'));
    const places = [state.selected, state.pinned].filter((place, at, all) => place !== null && all.indexOf(place) === at);
    body.replaceChildren(
      html('h2', {}, heading(data, state, derived)),
      changes(data, state.selected),
      rows(data, [...new Set([state.x, state.y, ...ALWAYS])].filter((name) => data.has(name)), places, state),
      buttons(data, store, state, said),
    );
    all.show('All figures', () => [rows(data, data.figures.map((figure) => figure.name), places)]);
    return undefined;
  }, ['x', 'y', 'slo', 'facets', 'selected', 'pinned']);
  mountDistribution(shapes, data, store, view);
}

function heading(data, state, derived) {
  // Of a single setting nothing is chosen.
  if (data.points.length === 1) return 'This setting';
  const is = [];
  if (state.selected === data.today) is.push('today');
  if (state.slo !== null && state.selected === derived.cheapest) is.push(derived.confirmed ? 'cheapest that keeps the SLO' : 'cheapest that keeps the SLO on average');
  if (state.selected === derived.knee) is.push('knee');
  const first = is.join(', ');
  return first ? `Selected: ${first}` : 'Selected';
}

/** The settings, each against today's where it differs. */
function changes(data, place) {
  const { variant, settings } = data.points[place];
  const today = data.today === null || data.today === undefined ? null : data.points[data.today].settings;
  const line = (value, index) => {
    if (value === null) return null;
    const before = today?.[index];
    const changed = before !== undefined && before !== null && before !== value;
    return html('div', { title: data.paths[index] }, html('span', {}, data.shorts[index]), ' ', changed ? [html('del', {}, before), ' → '] : null, html('b', {}, value));
  };
  const lines = [variant ? html('div', {}, html('b', {}, variant)) : null, ...settings.map(line)].filter(Boolean);
  return lines.length ? html('div', { class: 'settings' }, ...lines) : html('p', { class: 'settings' }, data.name(place));
}

function rows(data, names, places, state = null) {
  const told = names.filter((name) => places.some((place) => data.of(place, name).mean !== null));
  const unit = (name) => data.figure(name).unit;
  const title = (name) => (name === data.x ? data.x_title : name === data.y ? data.y_title : state ? PLAIN[name] ?? name : name);
  const cells = (name) => places.map((place) => html('td', {}, estimate(data.of(place, name), unit(name), data.currency)));
  const kept = (place) => verdict(data, place, state.slo);
  return html(
    'table',
    { class: 'pairs' },
    places.length > 1 ? html('thead', {}, html('tr', {}, html('td'), html('th', { scope: 'col' }, 'selected'), html('th', { scope: 'col' }, 'pinned'))) : null,
    html(
      'tbody',
      {},
      ...told.map((name) => html('tr', {}, html('th', { scope: 'row', title: data.figure(name).doc }, title(name)), ...cells(name))),
      state && state.slo !== null
        ? html('tr', {}, html('th', { scope: 'row' }, `SLO ≤ ${quantity(state.slo, 'seconds')}`), ...places.map((place) => html('td', {}, kept(place) ? html('span', { class: `tag ${kept(place)}` }, WORDS[kept(place)]) : '–')))
        : null,
    ),
  );
}

function buttons(data, store, state, said) {
  const copy = async (what, text) => {
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = `Copied as ${what}.`;
    } catch {
      // A page from disk may not be let near the clipboard: show what to copy instead.
      said.replaceChildren(html('code', { tabindex: 0 }, text));
    }
  };
  const pinned = state.pinned === state.selected;
  const settings = data.points[state.selected].settings.some((value) => value !== null);
  return html(
    'div',
    { class: 'actions' },
    html('button', { type: 'button', 'aria-pressed': String(pinned), onclick: () => store.set({ pinned: pinned ? null : state.selected }) }, pinned ? 'Unpin' : 'Pin to compare'),
    settings && html('button', { type: 'button', onclick: () => copy('TOML', asToml(data, state.selected)) }, 'Copy TOML'),
    settings && html('button', { type: 'button', onclick: () => copy('arguments', asArguments(data, state.selected)) }, 'Copy --set'),
    data.points[state.selected].manifest && html('button', { type: 'button', onclick: () => copy('a manifest', data.points[state.selected].manifest) }, 'Copy manifest'),
    html('button', { type: 'button', onclick: () => copy('a link', location.href) }, 'Copy link'),
  );
}
