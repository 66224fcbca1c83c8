// A report in its places: what stands there without a script stays for print.

import { conditions, store as makeStore } from './state.js';
import { derive } from './model.js';
import { quantity } from './format.js';
import { html } from './svg.js';
import { mountControls } from './controls.js';
import { mountFrontier } from './frontier.js';
import { mountDetail } from './detail.js';
import { mountTable } from './table.js';
import { mountTimeline } from './timeline.js';

/** Shows a report in the places that `place` finds by name; returns its store. `before` is the state of an earlier one. */
export function mountReport(data, place = (name) => document.querySelector(`[data-mount="${name}"]`), onHash = true, before = null) {
  const store = makeStore(data, onHash, before);
  let known = null;
  const view = () => {
    const state = store.get();
    const key = JSON.stringify([state.x, state.y, state.slo, state.facets]);
    if (!known || known.key !== key) known = { key, derived: derive(data, state) };
    return { state, derived: known.derived };
  };
  const mount = (name, how) => {
    const host = place(name);
    if (!host) return;
    host.hidden = false;
    // Only where the script draws does it take the place of what stands there without it.
    host.closest('section')?.classList.add('drawn');
    host.replaceChildren();
    how(host);
  };
  const plotted = data.points.filter((_, at) => data.of(at, data.x).mean !== null).length;
  if (plotted > 1) {
    mount('controls', (host) => mountControls(host, data, store));
    mount('frontier', (host) => mountFrontier(host, data, store, view));
    mount('points', (host) => mountTable(host, data, store, view));
  }
  if (data.points.length) mount('detail', (host) => mountDetail(host, data, store, view));
  if (data.runs.length) mount('timeline', (host) => mountTimeline(host, data, store, view));
  mount('moved', (host) => mountMoved(host, data, store, view));
  return store;
}

/** What follows from an SLO or a selection of settings that is not the report's. */
function mountMoved(host, data, store, view) {
  host.setAttribute('role', 'status');
  store.subscribe(() => {
    const { state, derived } = view();
    const moved = data.slo && (state.slo !== data.slo.seconds || JSON.stringify(state.facets) !== JSON.stringify(conditions(data)));
    host.hidden = !moved;
    if (!moved) return;
    const words = [`With ${data.y_title} ≤ ${quantity(state.slo, 'seconds')}`];
    const named = Object.entries(state.facets).map(([key, value]) => `${key} = ${value || 'as written'}`);
    if (named.length) words.push(`and only ${named.join(', ')}`);
    const found = derived.cheapest === null
      ? 'no setting keeps it on average'
      : `the cheapest setting that keeps it on average is ${data.name(derived.cheapest)}: ${quantity(data.of(derived.cheapest, data.x).mean, data.figure(data.x).unit, data.currency)}`;
    host.replaceChildren(html('b', {}, `${words.join(' ')}, ${found}.`), ' Estimated from the runs of this report; nothing was simulated anew.');
  });
}
