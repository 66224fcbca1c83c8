// Latency by percentile of the selected run, the tail drawn out, with the pinned run behind it.

import { quantity } from './format.js';
import { axis, extent } from './scale.js';
import { onWidth, path, svg } from './svg.js';

const TICKS = [50, 90, 99, 99.9, 99.99];
const LEFT = 62;
const nines = (percentile) => -Math.log10(1 - Math.min(percentile, 99.995) / 100);

export function mountDistribution(host, data, store, view) {
  const draw = (width) => {
    const { state } = view();
    const runs = [state.selected, state.pinned].map((place) => (place === null ? null : data.run(place)));
    if (!runs[0] && !runs[1]) return host.replaceChildren();
    host.replaceChildren(drawn(data, state, runs, width));
    return undefined;
  };
  store.subscribe(onWidth(host.parentElement, host, draw), ['slo', 'selected', 'pinned']);
}

function drawn(data, state, runs, width) {
  const height = 190;
  const series = runs.flatMap((run, place) => (run?.distribution ?? []).map((each) => ({ ...each, place })));
  const values = series.flatMap((each) => each.quantiles.map(([, value]) => value)).filter((value) => value > 1e-4);
  const y = axis(...extent(values, true), height - 26, 22, true);
  const x = (percentile) => LEFT + (nines(percentile) / nines(99.995)) * (width - LEFT - 12);
  const limit = state.slo !== null && state.slo >= y.low && state.slo <= y.high;
  const parts = [
    svg('text', { class: 'soft', x: 4, y: 12 }, 'latency and wait by percentile (log scale)'),
    ...TICKS.flatMap((tick) => [
      svg('line', { class: 'grid', x1: x(tick), x2: x(tick), y1: y.from, y2: y.to }),
      svg('text', { class: 'soft', x: x(tick), y: y.from + 16, 'text-anchor': 'middle' }, `p${tick}`),
    ]),
    ...y.ticks.filter((_, place) => y.ticks.length < 6 || place % 2 === 0).flatMap((tick) => [
      svg('line', { class: 'grid', x1: LEFT, x2: width - 10, y1: y.at(tick), y2: y.at(tick) }),
      svg('text', { class: 'soft', x: LEFT - 6, y: y.at(tick) + 4, 'text-anchor': 'end' }, quantity(tick, 'seconds')),
    ]),
  ];
  if (limit) {
    parts.push(svg('line', { class: 'limit', x1: LEFT, x2: width - 10, y1: y.at(state.slo), y2: y.at(state.slo) }), svg('text', { class: 'soft', x: LEFT + 4, y: y.at(state.slo) < 36 ? y.at(state.slo) + 13 : y.at(state.slo) - 4 }, `SLO ${quantity(state.slo, 'seconds')}`));
  }
  for (const each of series) {
    const points = each.quantiles.filter(([, value]) => value > 1e-4).map(([percentile, value]) => [x(percentile), y.at(value)]);
    const wait = each.name.toLowerCase() === 'wait' ? ' wait' : '';
    parts.push(svg('path', { class: `line${each.place ? ' pin' : ''}${wait}`, d: path(points) }, svg('title', {}, each.name)));
    // At the median the two are apart; in the tail they are nearly one.
    const early = points.find(([left]) => left > x(wait ? 88 : 40));
    if (early && !each.place) parts.push(svg('text', { class: 'soft', x: early[0] + 6, y: Math.min(y.from - 4, early[1] + (wait ? 12 : -8)) }, each.name.toLowerCase()));
  }
  return svg('svg', { width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': 'Latency and wait by percentile of the selected run' }, ...parts);
}
