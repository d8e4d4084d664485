// The public face of the library: every type in a public declaration can be imported, and every function has a docstring.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const TOP = resolve(import.meta.dirname, '../..');

/** Types in public declarations that need not be public themselves. */
const INNER = [
  // The parts of a Dockerfile's syntax tree: reachable as the fields of `Instruction`.
  ...readdirSync(join(TOP, 'src/build/dockerfile'))
    .filter((name) => /(?<!\.test)\.ts$/.test(name))
    .map((name) => `build/dockerfile/${name}`),
  // The kinds of locations: reachable as the members of `Location`.
  ...readdirSync(join(TOP, 'src/transports'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('-transport.ts'))
    .map((name) => `transports/${name}`),
  // Compression of layers during a copy: created by the tasks.
  'transports/compressing/contract.ts',
  'transports/compressing/layer-spool.ts',
];

interface Pages {
  typesAreCurrent(): boolean;
  namedButNotPublic(): readonly string[];
  undocumented(): readonly string[];
}

const script: string = join(TOP, 'scripts/api-pages.mjs');
const { namedButNotPublic, typesAreCurrent, undocumented }: Pages = await import(script);
const isBuilt = typesAreCurrent();
const skipped = isBuilt ? '' : ' (skipped: it is not built from these sources)';

describe('the library', () => {
  it.skipIf(!isBuilt)(`hands out what its declarations name${skipped}`, () => {
    const inner = new Set(INNER.flatMap(declaredIn));
    // Add what is found to the face of its room, `src/ROOM/index.ts`.
    expect(namedButNotPublic().filter((name) => !inner.has(name))).toEqual([]);
  });

  it('exports every task that a command uses', () => {
    const faces = readdirSync(join(TOP, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      /^\w+\/index\.ts$/.test(name),
    );
    const handedOut = new Set(faces.flatMap((face) => namesIn(face, /^export (?:type )?\{([^}]*)\} from/gm)));
    const commands = readdirSync(join(TOP, 'src/cli/commands')).filter((name) => /(?<!\.test)\.ts$/.test(name));
    const wrong = commands.flatMap((command) =>
      namesIn(`cli/commands/${command}`, /^import \{([^}]*)\} from '\.\.\/\.\.\//gm)
        .filter((name) => !handedOut.has(name))
        .map((name) => `${command} uses ${name}`),
    );
    // Add it to the face of its room, `src/ROOM/index.ts`.
    expect(wrong).toEqual([]);
  });

  it.skipIf(!isBuilt)(`says of each function what it does${skipped}`, () => {
    expect(undocumented()).toEqual([]);
  });
});

/** The names between the braces, before `as`. Imports of types count in a face only. */
function namesIn(file: string, pattern: RegExp): readonly string[] {
  const isFace = file.endsWith('index.ts');
  return [...readFileSync(join(TOP, 'src', file), 'utf8').matchAll(pattern)]
    .flatMap(([, names = '']) => names.split(',').map((name) => name.trim()))
    .filter((name) => name !== '' && (isFace || !name.startsWith('type ')))
    .map((name) => name.replace(/^type /, '').replace(/ as .*/, ''));
}

function declaredIn(file: string): readonly string[] {
  const text = readFileSync(join(TOP, 'src', file), 'utf8');
  return [...text.matchAll(/^(?:export )?(?:interface|type) (\w+)/gm)].map(([, name]) => name as string);
}
