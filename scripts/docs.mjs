// Writes the pages, and the parts of pages, that are made from the code; with --check only says whether they are current (exit status 1 if not).
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commandReference } from '../src/cli/grammar/reference.ts';
import { COMMANDS } from '../src/cli/table/commands.ts';
import { roomsPicture } from './rooms-picture.ts';

const top = join(import.meta.dirname, '..');

/** By file: what it is to hold, given what it holds. */
const PAGES = new Map([
  ['docs/commands.md', () => commandReference(COMMANDS)],
  ['docs/architecture.md', (text) => between(text, 'rooms', roomsPicture(join(top, 'src')))],
]);

for (const [page, make] of PAGES) {
  const file = join(top, page);
  const before = await readFile(file, 'utf8').catch(() => '');
  const text = make(before);
  if (!process.argv.includes('--check')) {
    await writeFile(file, text);
  } else if (before !== text) {
    console.error(`${page} is not current: npm run docs`);
    process.exitCode = 1;
  }
}

/** Replaces what stands between the marks `<!-- NAME -->` and `<!-- /NAME -->`. */
function between(text, name, content) {
  const [start, end] = [`<!-- ${name} -->\n`, `\n<!-- /${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the marks are not there [${name}]`);
  return text.slice(0, from + start.length) + content + text.slice(to);
}
