// The rules for the rooms of docs/architecture.md as data: who may import whom, and which modules a room may use.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '../../src');

/** A room imports only from rooms with a lower number, or from itself. */
const ROOMS: Readonly<Record<string, number>> = {
  oci: 0,
  io: 1,
  tar: 2,
  registry: 2,
  certificates: 2,
  rootfs: 3,
  storage: 3,
  access: 3,
  server: 4,
  transports: 4,
  copy: 5,
  build: 5,
  scan: 5,
  nodes: 5,
  observe: 5,
  tasks: 6,
  web: 7,
  cli: 8,
};

/** The same within a room: a wing imports only from wings with a lower number, or from itself. Files beside the wings are listed with their extension. */
const WINGS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  io: { text: 0, streams: 0, concurrency: 0, compression: 1, files: 2, http: 3, 'index.ts': 4 },
  tasks: {
    'settings.ts': 0,
    'arguments.ts': 0,
    overlays: 1,
    'private-registry': 2,
    nodes: 3,
    transfer: 3,
    cache: 4,
    look: 4,
    mkimage: 5,
    make: 6,
    'index.ts': 7,
  },
  storage: {
    layout: 0,
    'objects.ts': 0,
    'blobs.ts': 0,
    'store.ts': 1,
    'object-store': 1,
    drivers: 2,
    repositories: 2,
    builds: 3,
    collector: 3,
    space: 4,
    'store-health.ts': 3,
    check: 4,
    quota: 2,
    'registry-store.ts': 3,
    'embedded-store.ts': 4,
    'index.ts': 5,
  },
  cli: { process: 0, grammar: 1, reporter: 1, out: 2, commands: 3, table: 4, 'program.ts': 5, 'main.ts': 6 },
};

/** Node's own modules that a room must do without: pure rooms stay pure. */
const FORBIDDEN: Readonly<Record<string, readonly string[]>> = {
  oci: ['node:fs', 'node:fs/promises', 'node:http', 'node:https', 'node:net', 'node:child_process'],
  tar: ['node:fs', 'node:fs/promises', 'node:http', 'node:https', 'node:net', 'node:child_process'],
};

interface Source {
  readonly file: string;
  readonly room: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const sources: readonly Source[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes('/testing/'))
  .map((file) => {
    const text = readFileSync(join(SRC, file), 'utf8');
    const imports = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] as string);
    return { file, room: file.includes('/') ? (file.split('/')[0] as string) : '', text, imports };
  });

/** What the oldest Node (package.json, `engines`) does not have, and the type checker does not tell. */
const TOO_NEW =
  /\b(?:new (?:Async)?DisposableStack|new SuppressedError|instanceof SuppressedError|Promise\.try|RegExp\.escape|Error\.isError|Iterator\.concat|Math\.sumPrecise|Uint8Array\.from(?:Hex|Base64))\b/;

it('sources use nothing that the oldest Node does not have', () => {
  expect(sources.filter(({ text }) => TOO_NEW.test(text)).map(({ file }) => file)).toEqual([]);
});

describe('rooms', () => {
  it('are all in the table', () => {
    expect(sources.length).toBeGreaterThan(10);
    expect([...new Set(sources.map((source) => source.room))].filter((room) => room && !(room in ROOMS))).toEqual([]);
  });

  it('import only from lower rooms', () => {
    const wrong = sources.flatMap((source) =>
      targets(source)
        .filter((target) => !mayImport(source.room, target.split('/')[0] as string))
        .map((target) => `${source.file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('have wings that import only from lower wings', () => {
    const wrong = sources.flatMap((source) => {
      const wings = WINGS[source.room];
      if (!wings) return [];
      return [...targets(source)]
        .filter((target) => target.startsWith(`${source.room}/`) && wingOf(target) !== wingOf(source.file))
        .filter((target) => !((wings[wingOf(target)] ?? Infinity) < (wings[wingOf(source.file)] ?? -1)))
        .map((target) => `${source.file} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it('export a name with one meaning only', () => {
    const exporters = new Map<string, string[]>();
    for (const { file, text } of sources) {
      // Every command exports the same names, for the table of commands.
      if (file.startsWith('cli/commands/')) continue;
      for (const [, name] of text.matchAll(/^export (?:async )?(?:function\*?|const|interface|type|class) (\w+)/gm)) {
        exporters.set(name as string, [...(exporters.get(name as string) ?? []), file]);
      }
    }
    expect([...exporters].filter(([, files]) => new Set(files).size > 1)).toEqual([]);
  });

  it('have no cycles between files', () => {
    const graph = new Map(sources.map((source) => [source.file, targets(source)]));
    expect(findCycle(graph)).toBeUndefined();
  });

  it('have an index.ts that only outside code imports', () => {
    const wrong = sources
      .filter(({ file }) => file !== 'index.ts')
      .flatMap(({ file, imports }) => imports.filter((name) => /(?:^|\/)index\.ts$/.test(name)).map(() => file));
    expect(wrong).toEqual([]);
  });

  it('import no Node modules if they must be pure', () => {
    const wrong = sources.flatMap((source) =>
      source.imports.filter((name) => FORBIDDEN[source.room]?.includes(name)).map((name) => `${source.file}: ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  it('leave `process` and `console` to cli', () => {
    const wrong = sources
      .filter((source) => source.room !== 'cli')
      .filter((source) =>
        /\bconsole\.|\bprocess\.(?!nextTick|hrtime|pid\b|getuid|arch\b|platform\b|kill\b|resourceUsage\b|getBuiltinModule\b)/.test(
          withoutComments(source.text),
        ),
      )
      .map((source) => source.file);
    expect(wrong).toEqual([]);
  });

  it('take the temporary directory and the home directory from the world that they are given', () => {
    const wrong = sources
      .filter((source) => source.room !== 'cli')
      .filter((source) => /\b(?:tmpdir|homedir)\b/.test(withoutComments(source.text)))
      .map((source) => source.file);
    expect(wrong).toEqual([]);
  });

  it('grow no list by arguments: a hundred thousand of them overflow the stack (oci/add-all)', () => {
    const wrong = sources.filter((source) => /\.(?:push|unshift)\((?:\w+, )*\.\.\./.test(withoutComments(source.text)));
    expect(wrong.map((source) => source.file)).toEqual([]);
  });

  it('keep files small enough to hold one idea', () => {
    expect(sources.filter((source) => source.text.split('\n').length > 500).map((source) => source.file)).toEqual([]);
  });
});

/** The imported files, as paths below src/. */
function targets({ file, imports }: Source): readonly string[] {
  return imports.filter((name) => name.startsWith('.')).map((name) => relative(SRC, resolve(SRC, dirname(file), name)));
}

function wingOf(file: string): string {
  return file.split('/')[1] as string;
}

function mayImport(from: string, to: string): boolean {
  if (from === '' || from === to) return true;
  return (ROOMS[to] ?? Number.POSITIVE_INFINITY) < (ROOMS[from] ?? -1);
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|(^|[^:])\/\/.*$/gm, '$1');
}

function findCycle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): readonly string[] | undefined => {
    const at = path.indexOf(file);
    if (at >= 0) return [...path.slice(at), file];
    if (done.has(file)) return undefined;
    for (const next of graph.get(file) ?? []) {
      const cycle = walk(next, [...path, file]);
      if (cycle) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = walk(file, []);
    if (cycle) return cycle;
  }
  return undefined;
}
