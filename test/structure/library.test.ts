// The face of the library: what a public declaration names can be imported too, but for what is listed here with its reason.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const TOP = resolve(import.meta.dirname, '../..');

/** The parts of a Dockerfile's syntax tree: whoever reads one has them as the fields of `Instruction`. */
const SYNTAX_TREE = [
  ...['Add', 'Arg', 'Argument', 'CommandLine', 'Copy', 'Directive', 'Each', 'Escape', 'Fields', 'Files', 'From'],
  ...['Healthcheck', 'Heredoc', 'HeredocWord', 'LineRange', 'Network', 'Onbuild', 'Pair', 'Position', 'Run'],
  ...['Segment', 'Source', 'Statement', 'Warning', 'Word', 'Written'],
];
/** What compresses layers on their way: the tasks make it themselves. */
const SPOOL = [
  ...['CompressedForm', 'LayerCompression', 'LayerForm', 'LayerMemory', 'LayerSpool', 'LayerWatcher', 'Plain'],
  ...['RememberedImage', 'SpooledLayer'],
];

interface Pages {
  namedButNotPublic(): readonly string[];
  undocumented(): readonly string[];
}

const isBuilt = existsSync(join(TOP, 'dist/lib/types.d.ts'));
const skipped = isBuilt ? '' : ' (skipped: it is not built)';

describe('the library', () => {
  it.skipIf(!isBuilt)(`hands out what its declarations name${skipped}`, async () => {
    const { namedButNotPublic } = await pages();
    const known = new Set([...SYNTAX_TREE, ...SPOOL]);
    // Add what is found to the face of its room, `src/ROOM/index.ts`.
    expect(namedButNotPublic().filter((name) => !known.has(name))).toEqual([]);
  });

  it.skipIf(!isBuilt)(`says of each function what it does${skipped}`, async () => {
    const { undocumented } = await pages();
    expect(undocumented()).toEqual([]);
  });
});

async function pages(): Promise<Pages> {
  const script: string = join(TOP, 'scripts/api-pages.mjs');
  return await import(script);
}
