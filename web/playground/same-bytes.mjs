// Answers questions with the engine as WebAssembly, and compares each answer with that of the native program, to the byte.
//
//   node web/playground/same-bytes.mjs FOLDER NATIVE SCENARIO.toml...

import { readFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';

const [folder, native, ...files] = process.argv.slice(2);
const module = await WebAssembly.compile(await readFile(`${folder}/kneepoint.wasm`));

/** The lines of the engine in WebAssembly, with a clock that stands still. */
async function lines(question) {
  const told = [];
  let engine = null;
  const tell = (at, length) => told.push(Buffer.from(engine.memory.buffer.slice(at, at + length)).toString());
  // As the worker of the page does: what a library imports and nobody calls.
  const imports = { kneepoint: { tell, now: () => 0 } };
  for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] ??= () => 0;
  engine = (await WebAssembly.instantiate(module, imports)).exports;
  const bytes = Buffer.from(question);
  const at = engine.question(bytes.length);
  new Uint8Array(engine.memory.buffer).set(bytes, at);
  engine.run();
  return told.map((line) => `${line}\n`).join('');
}

let differ = 0;
for (const file of files) {
  const text = await readFile(file, 'utf8');
  const question = JSON.stringify({ page: 'test', scenario: 0, text, moves: [] });
  const own = await lines(question);
  const { stdout, status } = spawnSync(native, ['run'], { input: question, encoding: 'utf8', maxBuffer: 1 << 30 });
  const same = status === 0 && stdout === own && own.includes('"kind":"done"');
  if (!same) {
    differ += 1;
    const place = [...own].findIndex((character, at) => character !== stdout[at]);
    console.log(`${file}: differs at character ${place} of ${own.length} and ${stdout.length}:\n  ${own.slice(place - 80, place + 80)}\n  ${stdout.slice(place - 80, place + 80)}`);
  } else {
    console.log(`${file}: the same ${own.length} bytes`);
  }
}
process.exit(differ ? 1 : 0);
