// What follows from the points for an SLO, two axes and a selection of settings: the same rules as in
// `src/experiment/frontier.rs` and `knee.rs`, so that a view that nobody has changed says what the report says.

import { conditions } from './state.js';

/** Places of the points that a view shows. */
export function shown(data, state) {
  const wanted = Object.entries(state.facets);
  return data.points
    .map((_, place) => place)
    .filter((place) =>
      wanted.every(([key, value]) => {
        const { variant, settings } = data.points[place];
        return key === 'variant' ? (variant ?? '') === value : settings[data.paths.indexOf(key)] === value;
      }),
    );
}

/** Points of which none other is at least as good in both figures and better in one; cheapest first. */
export function frontier(data, places, x, y) {
  const known = places
    .map((place) => ({ place, x: data.of(place, x).mean, y: data.of(place, y).mean }))
    .filter((point) => point.x !== null && point.y !== null);
  const better = (name) => (data.figure(name)?.higher_is_better ? -1 : 1);
  const [sx, sy] = [better(x), better(y)];
  known.sort((a, b) => sx * (a.x - b.x) || sy * (a.y - b.y) || a.place - b.place);
  let best = null;
  return known
    .filter((point) => {
      if (best === null || sy * point.y < sy * best.y) best = point;
      return point.x === best.x && point.y === best.y;
    })
    .map((point) => point.place);
}

/** The knee of a frontier: furthest below the line between its ends, latencies by their logarithm. */
export function knee(data, members, x, y) {
  if (members.length === 1) return members[0];
  const measure = (name) => {
    const own = data.figure(name)?.unit === 'seconds' ? (value) => Math.log(Math.max(value, 1e-9)) : (value) => value;
    const values = members.map((place) => own(data.of(place, name).mean));
    const [low, high] = [Math.min(...values), Math.max(...values)];
    if (!(high > low)) return null;
    const share = values.map((value) => (value - low) / (high - low));
    return data.figure(name)?.higher_is_better ? share.map((value) => 1 - value) : share;
  };
  const [xs, ys] = [measure(x), measure(y)];
  if (!xs || !ys) return null;
  let deepest = 0;
  for (let place = 1; place < members.length; place += 1) {
    if (1 - xs[place] - ys[place] > 1 - xs[deepest] - ys[deepest]) deepest = place;
  }
  return 1 - xs[deepest] - ys[deepest] > 1e-9 ? members[deepest] : null;
}

/** Whether a point keeps the promise: `yes`, `so_far`, `no` or `uncertain`; `null` where nothing is promised. */
export function verdict(data, place, slo) {
  if (slo === null) return null;
  // At the promise of the scenario the counted misses have decided; elsewhere only the interval of the percentile can.
  if (data.slo && slo === data.slo.seconds) return place === data.cheapest ? 'yes' : data.points[place].keeps;
  const { mean, low, high } = data.of(place, data.y);
  if (mean === null) return 'no';
  if (low === null) return mean <= slo ? 'uncertain' : 'no';
  return high <= slo ? 'so_far' : low > slo ? 'no' : 'uncertain';
}

/** Whether a point keeps the promise on average. */
export function keepsOnAverage(data, place, slo) {
  if (slo === null) return true;
  if (data.slo && slo === data.slo.seconds) return data.points[place].keeps_on_average;
  const { mean } = data.of(place, data.y);
  return mean !== null && mean <= slo;
}

/** Everything that a view is drawn from. */
export function derive(data, state) {
  const places = shown(data, state);
  // Other traffic is a question, and no setting to choose.
  const choices = places.filter((place) => !data.points[place].what_if);
  const members = frontier(data, choices, state.x, state.y);
  // Variants have a frontier each, as in the drawings of the report: nobody reads one across them as a trade.
  const series = [...new Set(places.map((place) => data.points[place].series))];
  const of = (number) => choices.filter((place) => data.points[place].series === number);
  const lines = data.command === 'sweep' && series.length > 1
    ? series.map((number) => ({ series: number, members: frontier(data, of(number), state.x, state.y) }))
    : [{ series: null, members: data.command === 'sweep' ? members : [] }];
  const cost = (place) => data.of(place, data.x).mean ?? Infinity;
  const within = choices.filter((place) => keepsOnAverage(data, place, state.slo));
  const unmoved = JSON.stringify(state.facets) === JSON.stringify(conditions(data));
  const asWritten = data.slo && state.slo === data.slo.seconds && unmoved;
  // The report's own knee, which is over all conditions together, where it can be shown.
  const own = unmoved && state.x === data.x && state.y === data.y && (data.knee === null || places.includes(data.knee));
  const cheapest = within.reduce((best, place) => (best === null || cost(place) < cost(best) ? place : best), null);
  return {
    places,
    frontier: members,
    lines,
    // Alternatives that somebody named are no curve that bends.
    knee: data.command !== 'sweep' ? null : own ? data.knee : knee(data, members, state.x, state.y),
    cheapest: state.slo === null ? null : asWritten && data.cheapest !== null ? data.cheapest : cheapest,
    confirmed: Boolean(asWritten && data.cheapest !== null),
  };
}

/** The worst stretches of a run: where more requests were late or lost than the share that may be, worst first. */
export function episodes(run, { may_miss: share, promised }, most = 5) {
  const { time_s: ends, length_s: lengths, good, served, lost, arrived } = run.windows;
  const times = promised ? run.windows.promised_s : run.windows.latency_p99_s;
  const found = [];
  let open = null;
  ends.forEach((end, place) => {
    const late = Math.max(0, served[place] - good[place]) + lost[place];
    const much = late > share * Math.max(1, arrived[place]);
    if (!much) {
      open = null;
      return;
    }
    if (!open) {
      open = { from: end - lengths[place], to: end, late: 0, longest: 0 };
      found.push(open);
    }
    open.to = end;
    open.late += late;
    open.longest = Math.max(open.longest, times[place] ?? 0);
  });
  return found.sort((a, b) => b.late - a.late).slice(0, most);
}
