// Writes the pages, and the parts of pages, that are made from the code; with --check only says which are not current (exit status 1 if any).
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { configReference } from '../src/cli/grammar/config-reference.ts';
import { errorReference } from '../src/cli/grammar/error-reference.ts';
import { commandReference } from '../src/cli/grammar/reference.ts';
import { COMMANDS } from '../src/cli/table/commands.ts';
import { apiPages, typesAreCurrent } from './api-pages.mjs';
import { roomsPicture } from './rooms-picture.ts';

const top = join(import.meta.dirname, '..');
const isCheck = process.argv.includes('--check');

/** By file: what it is to hold, given what it holds. */
const PAGES = new Map([
  ['docs/commands.md', () => commandReference(COMMANDS)],
  ['docs/errors.md', errorReference],
  ['docs/configuration.md', (text) => between(text, 'keys', configReference())],
  ['docs/architecture.md', (text) => between(text, 'rooms', roomsPicture(join(top, 'src')))],
  ['docs/library.md', withExamples],
]);

// What is made from older declarations would undo what the sources say now.
if (!isCheck && !typesAreCurrent()) spawnSync(process.execPath, [join(top, 'scripts/build.mjs')], { stdio: 'inherit' });
const api = typesAreCurrent() ? apiPages() : undefined;
if (api) for (const [name, text] of api) PAGES.set(`docs/api/${name}`, () => text);
else console.error('docs: docs/api/ is not looked at, the library is not built from these sources: npm run build');

for (const [page, make] of PAGES) {
  const file = join(top, page);
  const before = await readFile(file, 'utf8').catch(() => '');
  const text = await make(before);
  if (before === text) continue;
  if (isCheck) notCurrent(page);
  else {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}
for (const name of api ? await readdir(join(top, 'docs/api')).catch(() => []) : []) {
  if (api.has(name)) continue;
  if (isCheck) notCurrent(`docs/api/${name}`);
  else await rm(join(top, 'docs/api', name));
}

function notCurrent(page) {
  console.error(`${page} is not current: npm run docs`);
  process.exitCode = 1;
}

/** Replaces what stands between the marks `<!-- NAME -->` and `<!-- /NAME -->`. */
function between(text, name, content) {
  const [start, end] = [`<!-- ${name} -->\n`, `\n<!-- /${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the marks are not there [${name}]`);
  return text.slice(0, from + start.length) + content + text.slice(to);
}

/** What stands between `<!-- examples/NAME.ts -->` and its end becomes this file. */
async function withExamples(page) {
  let text = page;
  for (const [, name] of page.matchAll(/^<!-- (examples\/[\w-]+\.ts) -->$/gm)) {
    text = between(text, name, `\`\`\`ts\n${await readFile(join(top, name), 'utf8')}\`\`\``);
  }
  return text;
}
