// Which figures the axes show, and which settings are shown at all.

import { html } from './svg.js';
import { conditions } from './state.js';

export function mountControls(host, data, store) {
  const select = (label, options, get, set) => {
    const element = html('select', { 'aria-label': label }, ...options.map(([value, text]) => html('option', { value }, text)));
    element.addEventListener('change', () => set(element.value));
    store.subscribe((state) => {
      element.value = get(state);
    });
    return html('label', {}, `${label} `, element);
  };
  const figures = data.figures.filter((figure) => figure.mean.some((value) => value !== null));
  const choices = figures.map((figure) => [figure.name, figure.name === data.x ? data.x_title : figure.name === data.y ? data.y_title : figure.name]);
  const axes = ['x', 'y'].map((key) => select(key === 'x' ? 'Across' : 'Up', choices, (state) => state[key], (value) => store.set({ [key]: value })));
  const facet = (key, label, values) => {
    const distinct = [...new Set(values)].filter((value) => value !== null);
    if (distinct.length < 2) return null;
    const set = (value) => {
      const { [key]: _, ...rest } = store.get().facets;
      store.set({ facets: value === '\u0000' ? rest : { ...rest, [key]: value } });
    };
    return select(label, [['\u0000', 'all'], ...distinct.map((value) => [value, value === '' ? 'as written' : value])], (state) => state.facets[key] ?? '\u0000', set);
  };
  const variants = data.command === 'sweep' ? facet('variant', 'variant', data.points.map((point) => point.variant ?? '')) : null;
  /** A condition that has a size is a slider over its values; the frontier under all at once would be none. */
  const slider = (path, label, values) => {
    const size = (value) => Number.parseFloat(value);
    const distinct = [...new Set(values)].filter((value) => value !== null).sort((a, b) => size(a) - size(b));
    if (distinct.length < 2 || distinct.some((value) => !Number.isFinite(size(value)))) return null;
    // Durations in several units are in no order by their numbers alone.
    if (new Set(distinct.map((value) => value.replace(/[\d.\s]+/g, ''))).size > 1) return null;
    const shown = html('output');
    const range = html('input', { type: 'range', min: 0, max: distinct.length - 1, step: 1, 'aria-label': `Condition ${path}` });
    range.addEventListener('input', () => store.set({ facets: { ...store.get().facets, [path]: distinct[Number(range.value)] } }));
    store.subscribe((state) => {
      const at = distinct.indexOf(state.facets[path]);
      range.value = Math.max(0, at);
      range.setAttribute('aria-valuetext', at < 0 ? 'all' : distinct[at]);
      shown.textContent = at < 0 ? 'all' : distinct[at];
    });
    return html('label', { class: 'condition' }, `${label} `, range, ' ', shown);
  };
  const isCondition = (index) => index >= data.paths.length - data.conditions;
  const facets = data.paths.map((path, index) => {
    const values = data.points.map((point) => point.settings[index]);
    return (isCondition(index) && slider(path, data.shorts[index], values)) || facet(path, data.shorts[index], values);
  });
  const reset = html('button', { type: 'button', hidden: true, onclick: () => store.set({ slo: data.slo?.seconds ?? null, facets: conditions(data), x: data.x, y: data.y }) }, 'Reset');
  store.subscribe((state) => {
    reset.hidden = !(state.slo !== (data.slo?.seconds ?? null) || JSON.stringify(state.facets) !== JSON.stringify(conditions(data)) || state.x !== data.x || state.y !== data.y);
  });
  host.append(...[...axes, variants, ...facets].filter(Boolean), reset);
}
