// Where a live page gets its results: from the server that it came from, or from the engine in a worker of its own. Both answer a
// run with the same lines.

/** The server that this page came from. */
export function server() {
  const ask = (what, body, signal) =>
    fetch(what, { method: 'POST', signal, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  return {
    async* run(body, signal) {
      const response = await ask('run', body, signal);
      if (!response.ok) throw new Error(`the server has refused: ${response.status}`);
      yield* lines(response);
    },
    async text(what, body) {
      const response = await ask(what, body);
      return response.ok ? { text: await response.text() } : { fault: await response.json() };
    },
    lost: (error) => `The server does not answer (${error.message}). Is it still running?`,
  };
}

/** The lines of an answer as they come. */
async function* lines(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split('\n');
    rest = parts.pop();
    for (const part of parts) if (part) yield JSON.parse(part);
  }
}

/** What the worker does: one question at a time, each answered by lines as the engine makes them. */
const WORKER = `
let engine = null;
const memory = () => new Uint8Array(engine.memory.buffer);
// A library that draws in browsers, which is not asked to, imports names of its own: they are there, and nobody calls them.
const imports = (module, own) => {
  const all = { kneepoint: own };
  for (const { module: from, name } of WebAssembly.Module.imports(module)) (all[from] ??= {})[name] ??= () => 0;
  return all;
};
onmessage = async ({ data: { module, what, body } }) => {
  const tell = (pointer, length) => postMessage({ line: new TextDecoder().decode(memory().slice(pointer, pointer + length)) });
  if (!engine) engine = (await WebAssembly.instantiate(module, imports(module, { tell, now: () => performance.now() }))).exports;
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const at = engine.question(bytes.length);
  memory().set(bytes, at);
  try {
    engine[what]();
    postMessage({ done: true });
  } catch (error) {
    postMessage({ broken: String(error) });
  }
};
`;

/** The engine in a worker: `address` is its WebAssembly. Old work ends with its worker; a new one takes a few milliseconds. */
export function inWorker(address) {
  const module = fetch(address).then((response) => {
    if (!response.ok) throw new Error(`${address}: ${response.status}`);
    return response.arrayBuffer();
  }).then((bytes) => WebAssembly.compile(bytes));
  const script = URL.createObjectURL(new Blob([WORKER], { type: 'text/javascript' }));
  const idle = [];
  async function* asked(what, body, signal) {
    const compiled = await module;
    const worker = idle.pop() ?? new Worker(script);
    const waiting = [];
    let wake = null;
    const come = (event) => {
      waiting.push(event);
      wake?.();
    };
    worker.onmessage = ({ data }) => come(data);
    worker.onerror = (event) => come({ broken: event.message });
    const stop = () => {
      worker.terminate();
      come({ aborted: true });
    };
    signal?.addEventListener('abort', stop);
    worker.postMessage({ module: compiled, what, body });
    for (;;) {
      while (!waiting.length) await new Promise((done) => { wake = done; });
      const { line, done, broken, aborted } = waiting.shift();
      if (aborted || signal?.aborted) return;
      if (broken) throw new Error(broken);
      if (done) {
        // Who calls off a question that is answered must not end the worker that waits for the next one.
        signal?.removeEventListener('abort', stop);
        idle.push(worker);
        return;
      }
      yield line;
    }
  }
  return {
    async* run(body, signal) {
      for await (const line of asked('run', body, signal)) yield JSON.parse(line);
    },
    async text(what, body) {
      let answer = null;
      for await (const line of asked(what, body)) answer = JSON.parse(line);
      return answer;
    },
    lost: (error) => `The engine in this page has stopped (${error.message}).`,
  };
}
