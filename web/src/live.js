// The live page: sliders and a text on one side, what the engine answers on the other. The text is the truth: a slider changes a
// value in it, and what is saved is it.

import { read } from './data.js';
import { clock, estimate, plain } from './format.js';
import { html } from './svg.js';
import { mountReport } from './report.js';

/** A name for this page, by which the server cancels its old work. */
const PAGE = Array.from(crypto.getRandomValues(new Uint32Array(2)), (part) => part.toString(16)).join('');

/** Times from a change to the first redraw, in milliseconds: for whoever wants to measure. */
const REDRAWS = [];

/** Shows the scenarios, side by side where there is room. */
export function goLive(host, scenarios, source) {
  globalThis.kneepoint = { redraws: REDRAWS };
  host.classList.add('live-page');
  const several = scenarios.length > 1;
  host.classList.toggle('several', several);
  // A page has one main part; of several scenarios each is an article of it.
  if (several) host.setAttribute('role', 'main');
  scenarios.forEach((scenario, place) => host.append(panel(scenario, place, source, several)));
}

/** The playground: one scenario at a time, which a list chooses; the address keeps which one. */
export function goPlay(host, scenarios, source) {
  const choice = html('select', { 'aria-label': 'Scenario' }, ...scenarios.map(({ name }, place) => html('option', { value: place }, name)));
  const place = html('div', { class: 'live-page' });
  const show = () => {
    const named = scenarios.findIndex(({ name }) => name === decodeURIComponent(location.hash.slice(1)));
    choice.value = Math.max(0, named);
    globalThis.kneepoint = { redraws: REDRAWS };
    place.firstChild?.dispatchEvent(new Event('leave'));
    place.replaceChildren(panel(scenarios[choice.value], Number(choice.value), source));
  };
  choice.addEventListener('change', () => {
    location.hash = encodeURIComponent(scenarios[choice.value].name);
  });
  addEventListener('hashchange', show);
  host.append(html('nav', { class: 'tools playground', 'aria-label': 'Playground' }, html('label', {}, 'Scenario ', choice), html('span', { class: 'note' }, 'Simulated in this page: nothing is sent anywhere.')), place);
  show();
}

function panel(scenario, number, source, several = false) {
  const named = (part) => (several ? `${part}, ${scenario.name}` : part);
  const mounts = {};
  const mount = (name, tag = 'div', attributes = {}) => {
    mounts[name] = html(tag, { ...attributes, hidden: true });
    return mounts[name];
  };
  const status = html('span', { class: 'note', role: 'status' });
  const answer = html('div', { class: 'answer' });
  const figures = html('div', { class: 'kpis' });
  const sliders = html('div', { class: 'sliders' });
  const editor = html('textarea', { spellcheck: 'false', 'aria-label': `Scenario ${scenario.name}`, rows: 24 });
  const fault = html('pre', { class: 'fault', role: 'alert', hidden: true });
  const work = worker(scenario, number, source, { answer, figures, mounts, sliders, editor, fault, status });
  const button = (text, does) => html('button', { type: 'button', onclick: does }, text);
  const root = html(
    several ? 'article' : 'main',
    { class: 'panel', 'aria-label': scenario.name },
    html('header', {}, html('h1', {}, scenario.name), status, html('span', { class: 'actions' },
      button('Save scenario', () => save(scenario.file, 'application/toml', work.text())),
      button('Save manifest', () => work.save('manifest', scenario.file.replace(/\.toml$/, '.yaml'), 'application/yaml')),
      button('Save report', () => work.save('report', 'report.html', 'text/html')),
      button('As it was', () => work.reset()))),
    html('section', { class: 'card wide-card', 'aria-label': named('Answer') }, fault, answer, figures, mount('moved', 'div', { class: 'moved' })),
    html('section', { class: 'card wide-card', 'aria-label': named('Values') }, html('h2', {}, 'Values'), sliders,
      html('details', {}, html('summary', {}, 'As text'), editor)),
    html('section', { class: 'card trade', 'aria-label': named('Cost and latency') }, html('h2', {}, 'Cost and latency'), mount('controls', 'div', { class: 'tools' }), mount('frontier', 'div', { class: 'chart' })),
    mount('detail', 'section', { class: 'card selected', 'aria-label': named('This setting') }),
    mount('timeline', 'section', { class: 'card wide-card', 'aria-label': named('Over time') }),
    html('section', { class: 'card wide-card', 'aria-label': named('Points') }, mount('points')),
  );
  root.addEventListener('leave', () => work.stop());
  work.start();
  return root;
}

/** What goes on for one scenario: a change waits until the first estimate of the last one has come, so that each is drawn. */
function worker(scenario, number, source, parts) {
  let { text } = scenario;
  let moves = new Map();
  let request = null;
  let waiting = false;
  let drawnFirst = true;
  let changedAt = performance.now();
  let runState = null;
  let sweep = null;
  let single = null;

  const change = () => {
    if (!waiting) changedAt = performance.now();
    waiting = true;
    if (drawnFirst) send();
  };

  const send = async () => {
    waiting = false;
    drawnFirst = false;
    request?.abort();
    const own = new AbortController();
    request = own;
    const sent = [...moves];
    const from = changedAt;
    let first = true;
    try {
      for await (const line of source.run({ page: PAGE, scenario: number, text, moves: sent }, own.signal)) {
        if (request !== own) return;
        if (line.kind === 'text') {
          text = line.text;
          for (const [path, value] of sent) if (moves.get(path) === value) moves.delete(path);
          if (document.activeElement !== parts.editor) parts.editor.value = text;
          slide(line.fields);
        } else if (line.kind === 'error') {
          failed(line);
          drawnFirst = true;
        } else if (line.kind === 'result') {
          parts.fault.hidden = true;
          // The engine begins with what has changed meanwhile, while this is drawn.
          if (first) drawnFirst = true;
          if (waiting) send();
          show(line);
          if (first) {
            first = false;
            REDRAWS.push(performance.now() - from);
            parts.status.dataset.redraw = REDRAWS.at(-1).toFixed(0);
          }
          const drawn = `drawn ${parts.status.dataset.redraw} ms after the change`;
          parts.status.textContent = `${line.of === 'run' ? 'this setting' : 'the sweep'}: ${line.replications} replications, stage ${line.stage} of ${line.stages}; ${drawn}`;
        } else if (line.kind === 'done') {
          parts.status.textContent = `done in ${plain(line.elapsed_ms / 1000)} s; drawn ${parts.status.dataset.redraw} ms after the change`;
        }
        if (waiting && drawnFirst) return send();
      }
    } catch (error) {
      if (own.signal.aborted) return undefined;
      drawnFirst = true;
      parts.status.textContent = source.lost(error);
    }
    return undefined;
  };

  const failed = ({ message, at }) => {
    parts.fault.hidden = false;
    parts.fault.textContent = message;
    parts.status.textContent = at ? `line ${at[0]}, column ${at[1]}` : 'not simulated';
    if (at && document.activeElement !== parts.editor) mark(parts.editor, at);
  };

  const show = (line) => (line.of === 'run' ? showRun(line) : showSweep(line));

  const showSweep = (line) => {
    const data = read(line.data);
    data.now = (name) => (single?.has(name) ? single.of(0, name) : null);
    const names = ['controls', 'frontier', 'points', 'moved'];
    const store = mountReport(data, (name) => (names.includes(name) ? parts.mounts[name] : null), false, sweep?.store.get());
    sweep = { data, store };
    let selected = store.get().selected;
    store.subscribe((state) => {
      if (state.selected === selected || state.selected === null) return;
      selected = state.selected;
      const point = data.points[selected];
      point.settings.forEach((value, place) => {
        const field = [...parts.sliders.querySelectorAll('input[type=number]')].find((each) => each.dataset.path === data.paths[place]);
        if (field && value !== null && Number.isFinite(Number(value))) moves.set(data.paths[place], Number(value));
      });
      if (moves.size) change();
    });
    parts.answer.replaceChildren(...[...line.warnings, ...line.answer].map((each) => html('p', {}, each)));
  };

  const showRun = (line) => {
    single = read(line.data);
    runState = mountReport(single, (name) => (['detail', 'timeline'].includes(name) ? parts.mounts[name] : null), false, runState?.get());
    parts.figures.replaceChildren(...keyFigures(single));
    // The chart has a mark for the setting as it is now; no other part of the sweep has anything of it.
    if (sweep) sweep.store.set({ now: (sweep.store.get().now ?? 0) + 1 });
    else parts.answer.replaceChildren(...[...line.warnings, ...line.answer].map((each) => html('p', {}, each)));
  };

  const slide = (fields) => {
    const known = [...parts.sliders.querySelectorAll('[data-path]')].map((each) => each.dataset.path);
    const paths = fields.flatMap((field) => [field.path, field.path]);
    if (known.join() === paths.join()) {
      // While one is dragged only the others follow: its ends must not move under the pointer.
      for (const field of fields) {
        for (const input of parts.sliders.querySelectorAll(`[data-path="${CSS.escape(field.path)}"]`)) {
          if (document.activeElement !== input && !moves.has(field.path)) input.value = field.value;
        }
      }
      return;
    }
    const [first, rest] = [fields.filter((field) => field.swept), fields.filter((field) => !field.swept)];
    const shown = first.length ? first : rest.slice(0, 6);
    const others = first.length ? rest : rest.slice(6);
    const open = parts.sliders.querySelector('details')?.open ?? others.length <= 8;
    parts.sliders.replaceChildren(
      html('div', { class: 'fields' }, ...shown.map(slider)),
      ...(others.length ? [html('details', { open }, html('summary', {}, 'Conditions and all other values'), html('div', { class: 'fields' }, ...others.map(slider)))] : []),
    );
  };

  const slider = (field) => {
    const shown = html('output', {}, field.duration ? clockOf(field.value) : '');
    const attributes = { min: field.low, max: field.high, step: field.step, 'data-path': field.path };
    const range = html('input', { type: 'range', ...attributes, 'aria-label': field.path });
    const number = html('input', { type: 'number', step: 'any', 'data-path': field.path, 'aria-label': `${field.path}${field.duration ? ', seconds' : ''}` });
    range.value = field.value;
    number.value = field.value;
    const moved = (source, other) => () => {
      const value = Number(source.value);
      if (source.value === '' || !Number.isFinite(value)) return;
      other.value = source.value;
      shown.textContent = field.duration ? clockOf(value) : '';
      moves.set(field.path, value);
      change();
    };
    range.addEventListener('input', moved(range, number));
    number.addEventListener('change', moved(number, range));
    return html('label', { class: field.swept ? 'field swept' : 'field' }, html('span', { title: field.path }, ...field.path.split(/(?<=\.)/).flatMap((part) => [part, html('wbr')])), range, number, shown);
  };

  parts.editor.value = text;
  let typed = null;
  parts.editor.addEventListener('input', () => {
    clearTimeout(typed);
    typed = setTimeout(() => {
      text = parts.editor.value;
      moves = new Map();
      change();
    }, 250);
  });
  return {
    start: () => {
      slide(scenario.fields);
      change();
    },
    text: () => text,
    reset: () => {
      ({ text } = scenario);
      moves = new Map();
      parts.editor.value = text;
      slide([]);
      slide(scenario.fields);
      change();
    },
    stop: () => request?.abort(),
    save: async (what, name, type) => {
      parts.status.textContent = `The ${what} is being made …`;
      const { text: made, fault } = await source.text(what, { page: PAGE, scenario: number, text });
      if (fault) failed(fault);
      else save(name, type, made);
      parts.status.textContent = fault ? `No ${what} was made.` : `The ${what} was saved.`;
    },
  };
}

/** Cost, latency and requests within the SLO of the setting, large; intervals shrink as replications come. */
function keyFigures(data) {
  const labels = { [data.x]: data.x_title, [data.y]: data.y_title, slo_attainment: 'within the SLO', mean_ready: 'instances' };
  return Object.entries(labels).filter(([name]) => data.has(name)).map(([name, label]) => {
    const [value, range] = estimate(data.of(0, name), data.figure(name).unit, data.currency).split(' (');
    return html('div', { class: 'kpi' }, html('div', { class: 'value' }, value), html('div', { class: 'label' }, label, html('br'), range ? range.replace(')', '') : 'one replication'));
  });
}

function clockOf(seconds) {
  return seconds < 120 ? `${plain(seconds)} s` : clock(seconds, seconds < 3600 ? 1 : 3600, 0);
}

/** Shows where a fault is in the text. */
function mark(editor, [line, column]) {
  const before = editor.value.split('\n').slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0);
  const at = before + column - 1;
  editor.setSelectionRange(at, at + 1);
  editor.scrollTop = Math.max(0, (line - 8) * 20);
}

/** Hands a file to the browser, which asks where to put it: the server writes nothing. */
function save(name, type, text) {
  const link = html('a', { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
