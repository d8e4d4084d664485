// Writes docs/commands.md from the table of commands; with --check only says whether it is current (exit status 1 if not).
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commandReference } from '../src/cli/grammar/reference.ts';
import { COMMANDS } from '../src/cli/table/commands.ts';

const file = join(import.meta.dirname, '../docs/commands.md');
const text = commandReference(COMMANDS);

if (!process.argv.includes('--check')) {
  await writeFile(file, text);
} else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
  console.error('docs/commands.md is not current: npm run docs');
  process.exitCode = 1;
}
