// Axes: from values to pixels and back, and where their ticks stand.

/** Whether the positive `values` span so much that only a logarithmic axis shows the small ones. */
export function spansDecades(values) {
  const known = values.filter((value) => Number.isFinite(value) && value > 0);
  return known.length > 1 && Math.max(...known) / Math.min(...known) > 8;
}

/** An axis over `[low, high]`, drawn from pixel `from` to pixel `to`. */
export function axis(low, high, from, to, log) {
  const own = log ? Math.log : (value) => value;
  const back = log ? Math.exp : (value) => value;
  const [first, last] = [own(low), own(high)];
  const stretch = last > first ? (to - from) / (last - first) : 0;
  const at = (value) => from + (own(log ? Math.max(value, 1e-12) : value) - first) * stretch;
  const value = (pixel) => back(stretch ? first + (pixel - from) / stretch : first);
  const most = Math.max(2, Math.floor(Math.abs(to - from) / 70));
  return { at, value, log, low, high, from, to, ticks: log ? logTicks(low, high, most) : linearTicks(low, high, most) };
}

/** Room for `values` and a little more. */
export function extent(values, log) {
  const known = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  if (!known.length) return log ? [0.1, 10] : [0, 1];
  let [low, high] = [Math.min(...known), Math.max(...known)];
  if (low === high) return log ? [low / 2, high * 2] : [low - Math.abs(low || 1) * 0.1, high + Math.abs(high || 1) * 0.1];
  if (log) {
    const more = (high / low) ** 0.05;
    return [low / more, high * more];
  }
  const more = (high - low) * 0.06;
  const from = low - more;
  // An axis that nearly reaches zero begins there; one never crosses it for room alone.
  return [low >= 0 && (from < 0 || low < (high - low) * 0.2) ? 0 : from, high + more];
}

function linearTicks(low, high, most) {
  const raw = (high - low) / most;
  const unit = 10 ** Math.floor(Math.log10(raw || 1));
  const step = [1, 2, 5, 10].map((times) => times * unit).find((each) => each >= raw * 0.999) ?? unit * 10;
  const ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + step * 1e-9; tick += step) {
    ticks.push(Math.abs(tick) < step * 1e-9 ? 0 : tick);
  }
  return ticks;
}

function logTicks(low, high, most) {
  for (const digits of [[1, 2, 5], [1, 3], [1]]) {
    const ticks = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
      for (const digit of digits) {
        const tick = digit * 10 ** power;
        if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
      }
    }
    if (ticks.length <= most + 2 && ticks.length > 1) return ticks;
  }
  const decades = Math.max(1, Math.ceil(Math.log10(high / low) / most));
  const ticks = [];
  for (let power = Math.ceil(Math.log10(low)); power <= Math.log10(high); power += decades) ticks.push(10 ** power);
  return ticks.length > 1 ? ticks : linearTicks(low, high, most);
}

/** Round steps of time for a view of `span` seconds. */
export function timeTicks(low, high, most) {
  const steps = [1, 5, 15, 30, 60, 300, 600, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];
  const step = steps.find((each) => (high - low) / each <= most) ?? 2419200;
  const ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) ticks.push(tick);
  return ticks;
}
