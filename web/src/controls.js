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
  const facets = data.paths.map((path, index) => facet(path, data.shorts[index], data.points.map((point) => point.settings[index])));
  const reset = html('button', { type: 'button', hidden: true, onclick: () => store.set({ slo: data.slo?.seconds ?? null, facets: conditions(data), x: data.x, y: data.y }) }, 'Reset');
  store.subscribe((state) => {
    reset.hidden = !(state.slo !== (data.slo?.seconds ?? null) || JSON.stringify(state.facets) !== JSON.stringify(conditions(data)) || state.x !== data.x || state.y !== data.y);
  });
  host.append(...[...axes, variants, ...facets].filter(Boolean), reset);
}
