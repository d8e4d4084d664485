// A mutation sample: changes one thing at a time in a room's sources, in a copy of the checkout, and runs the tests that reach it. What no test notices is printed.
//
//   node scripts/mutate.mjs ROOM [--count=20] [--seed=1] [--tests=DIR-or-file,…] [--without=TEST,…] [--files=NAME,…] [--seconds=300]     (default tests: src/ROOM)
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** What is looked for in a line, and what takes its place. */
const MUTATIONS = [
  [/ === /g, ' !== '],
  [/ !== /g, ' === '],
  [/ <= /g, ' < '],
  [/ >= /g, ' > '],
  [/ < (?!\/)/g, ' <= '],
  [/ > (?!=)/g, ' >= '],
  [/ && /g, ' || '],
  [/ \|\| /g, ' && '],
  [/ \?\? /g, ' && '],
  [/ \+ /g, ' - '],
  [/ - /g, ' + '],
  [/\btrue\b/g, 'false'],
  [/\bfalse\b/g, 'true'],
  [/\bif \(!/g, 'if ('],
  [/\bif \((?!!)/g, 'if (!!0 && '],
  [/\bcontinue;/g, '{}'],
  [/\bthrow (?=new|[a-z]\w*\()/g, 'void '],
  [/\breturn (?!(?:undefined|false);)(?=[^;]+;$)/g, 'return undefined && '],
  [/(?<![\w.'"$-])(\d+)(?![\w.'"%-])/g, (number) => String(Number(number) + 1)],
  [/\bawait (?=[\w.]+\()/g, 'void '],
];

const [room, ...words] = process.argv.slice(2);
const options = Object.fromEntries(words.map((word) => word.replace(/^--/, '').split('=')));
const count = Number(options.count ?? 20);
/** For one mutation: what hangs counts as noticed. */
const SECONDS = Number(options.seconds ?? 300);
/** Only these sources of the room: `a` is any `a.ts`. */
const only = options.files?.split(',').map((name) => `${name}.ts`);
const tests = options.tests?.split(',') ?? [`src/${room}`];
const top = join(import.meta.dirname, '..');
if (!room) {
  console.error(
    'usage: node scripts/mutate.mjs ROOM [--count=N] [--seed=N] [--tests=DIR,…] [--without=TEST,…] [--files=NAME,…] [--seconds=N]',
  );
  process.exit(2);
}

const random = randomFrom(Number(options.seed ?? 1));
const copy = mkdtempSync(join(tmpdir(), 'images-mutate-'));
// Some tests run the program as another user.
chmodSync(copy, 0o755);
let tried = 0;
let survivors = 0;
try {
  for (const name of execFileSync('git', ['ls-files'], { cwd: top, encoding: 'utf8' }).trim().split('\n')) {
    cpSync(join(top, name), join(copy, name));
  }
  symlinkSync(join(top, 'node_modules'), join(copy, 'node_modules'));
  const include = tests.map((place) => (place.endsWith('.test.ts') ? place : `${place}/**/*.test.ts`));
  const exclude = options.without?.split(',').map((name) => `**/${name}.test.ts`) ?? [];
  const test = { include, exclude, testTimeout: 20_000, hookTimeout: 20_000 };
  writeFileSync(join(copy, 'vitest.mutate.config.mjs'), `export default ${JSON.stringify({ test })};\n`);
  // Tests that fail by themselves would count every mutation as noticed.
  const before = runTests();
  if (before !== 0) throw new Error(`the tests fail without a mutation [${tests.join(' ')}]`);
  const places = allPlaces();
  while (tried < count && places.length > 0) {
    const [place] = places.splice(Math.floor(random() * places.length), 1);
    tryPlace(place);
    tried++;
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
console.log(`${survivors} of ${tried} survived in ${room}`);

function tryPlace({ file, line, at, length, replacement }) {
  const path = join(copy, file);
  const text = readFileSync(path, 'utf8');
  const lines = text.split('\n');
  const old = lines[line];
  lines[line] = old.slice(0, at) + replacement + old.slice(at + length);
  writeFileSync(path, lines.join('\n'));
  const status = runTests(file);
  writeFileSync(path, text);
  if (status === 0) survivors++;
  console.log(`${status === 0 ? 'SURVIVED' : 'killed  '} ${file}:${line + 1}: ${old.trim()} → ${lines[line].trim()}`);
}

/** With a file: those of the tests that import it, however far away. A configuration says which tests there are: "related" takes no filter, and --dir does not reach projects. */
function runTests(file) {
  const words = file ? ['related', file, '--run'] : ['run'];
  const done = spawnSync(
    join(copy, 'node_modules/.bin/vitest'),
    [...words, '--config=vitest.mutate.config.mjs', '--bail=1', '--passWithNoTests'],
    {
      cwd: copy,
      encoding: 'utf8',
      timeout: SECONDS * 1000,
      killSignal: 'SIGINT',
      env: { ...process.env, CI: 'true', PATH: `${join(copy, 'node_modules/.bin')}:${process.env.PATH}` },
    },
  );
  if (!file && done.status !== 0) console.error(done.stdout, done.stderr);
  return done.status;
}

function allPlaces() {
  const files = readdirSync(join(top, 'src', room), { recursive: true, encoding: 'utf8' }).filter(
    (file) =>
      file.endsWith('.ts') &&
      !file.endsWith('.test.ts') &&
      !file.includes('testing/') &&
      (only?.includes(basename(file)) ?? true),
  );
  return files.flatMap((name) => {
    const file = `src/${room}/${name}`;
    const lines = readFileSync(join(top, file), 'utf8').split('\n');
    return lines.flatMap((text, line) =>
      isCode(text) ? placesIn(text).map((place) => ({ file, line, ...place })) : [],
    );
  });
}

function isCode(line) {
  return (
    !/^\s*(?:\/\/|\*|\/\*|import|export (?:type|interface)|readonly|}|\|)/.test(line) &&
    !/[:,] ?(?:string|number);$/.test(line)
  );
}

function placesIn(text) {
  return MUTATIONS.flatMap(([pattern, replacement]) =>
    [...text.matchAll(pattern)].map((match) => ({
      at: match.index,
      length: match[0].length,
      replacement: typeof replacement === 'string' ? replacement : replacement(match[0]),
    })),
  );
}

/** The same numbers for the same seed (mulberry32). */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
