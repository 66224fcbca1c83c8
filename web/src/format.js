// Numbers for people: the same digits and units as the tables of the report.

const DIGITS = 3;

/** Writers of numbers by their decimals, made once: to make one for each number took longer than to draw a page. */
const BY_DECIMALS = Array.from({ length: 7 }, (_, most) => new Intl.NumberFormat('en', { maximumFractionDigits: most }));

/** `value` with three significant digits, never in powers of ten below a million. */
export function plain(value) {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toPrecision(DIGITS);
  const decimals = Math.max(0, DIGITS - 1 - Math.floor(Math.log10(size)));
  return BY_DECIMALS[Math.min(decimals, 6)].format(value);
}

const SHORT = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: DIGITS });

/** `value` where there is room for six signs. */
export function short(value) {
  return Math.abs(value) >= 1e5 ? SHORT.format(value) : plain(value);
}

export function seconds(value) {
  const size = Math.abs(value);
  if (size === 0) return '0 s';
  if (size < 1e-3) return `${plain(value * 1e6)} µs`;
  if (size < 1) return `${plain(value * 1e3)} ms`;
  if (size < 600) return `${plain(value)} s`;
  if (size < 7200) return `${plain(value / 60)} min`;
  return `${plain(value / 3600)} h`;
}

const WRITERS = {
  seconds,
  share: (value) => `${(value * 100).toFixed(2)} %`,
  per_second: (value) => `${plain(value)}/s`,
};

/** `value` in its unit; a dash where there is none. */
export function quantity(value, unit, currency) {
  if (value === Infinity) return '∞';
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  if (unit === 'currency') return `${plain(value)} ${currency}`;
  const write = WRITERS[unit];
  return write ? write(value) : plain(value);
}

/** A figure with its interval; empty brackets are never shown. */
export function estimate({ mean, low, high }, unit, currency) {
  const text = quantity(mean, unit, currency);
  const range = interval({ mean, low, high }, unit, currency);
  return range ? `${text} (${range})` : text;
}

export function interval({ mean, low, high }, unit, currency) {
  if (mean === null || low === null || high === null || low === undefined || high === undefined) return '';
  const [from, to] = [quantity(low, unit, currency), quantity(high, unit, currency)];
  // The unit once, where both ends have the same.
  const cut = from.lastIndexOf(' ');
  return cut > 0 && to.endsWith(from.slice(cut)) ? `${from.slice(0, cut)} to ${to}` : `${from} to ${to}`;
}

/** An instant of a run: hours and minutes, with days where the run has several and seconds where the view is short. */
export function clock(at, span, whole) {
  const pad = (number) => String(number).padStart(2, '0');
  let rest = Math.round(at);
  const days = Math.floor(rest / 86400);
  rest -= days * 86400;
  const time = `${pad(Math.floor(rest / 3600))}:${pad(Math.floor((rest % 3600) / 60))}`;
  const fine = span < 900 ? `${time}:${pad(rest % 60)}` : time;
  return whole > 86400 ? `d${days + 1} ${fine}` : days ? `24:00`.slice(0, fine.length) : fine;
}

/** The last part of a dotted path, and of several alike as much as tells them apart. */
export function shortNames(paths) {
  const parts = paths.map((path) => path.split('.'));
  return parts.map((own, index) => {
    // One word alone, as `above`, says too little.
    for (let take = own.length > 2 ? 2 : 1; take <= own.length; take += 1) {
      const name = own.slice(-take).join('.');
      const alike = parts.some((other, place) => place !== index && other.slice(-take).join('.') === name);
      if (!alike) return name;
    }
    return own.join('.');
  });
}
