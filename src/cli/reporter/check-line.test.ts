import { expect, it } from 'vitest';
import { describedFault, neededBy } from '../../observe/fault-text.ts';
import { testProgram } from '../testing/program.ts';
import { checkReporter, lineOfCheck } from './check-line.ts';
import { collectionReporter, lineOfCollection } from './collection-line.ts';

const digest = `sha256:${'a'.repeat(64)}` as const;

it('a check says how much it has read, and of how much if that is known', () => {
  const event = { type: 'blobs', blobs: 1, bytes: 1_500_000 } as const;
  expect(lineOfCheck(event, 0)).toBe('1.5 MB read in 1 blob');
  expect(lineOfCheck(event, 6_000_000)).toBe('1.5 MB of 6.0 MB, 25 % read in 1 blob');
  expect(lineOfCheck({ type: 'links', repository: 'a/b' }, 0)).toBe('Looking at the links of a/b');
  expect(lineOfCheck({ type: 'fetching', digest, from: 'r.io/a' }, 0)).toBe(`Fetching ${digest} from r.io/a`);
  expect(lineOfCheck({ type: 'damaged', digest }, 0)).toBe('');
});

it('a collection says what it does', () => {
  expect(lineOfCollection({ type: 'reading', repository: 'a/b' })).toBe('Reading the manifests of a/b');
  expect(lineOfCollection({ type: 'looking', blobs: 64 })).toBe('64 blobs looked at');
  expect(lineOfCollection({ type: 'deleting', blobs: 1, bytes: 2000 })).toBe('2.0 kB freed in 1 blob');
});

it('without a terminal only what matters later is said', async () => {
  const { context, noted, drawn } = await testProgram();
  const check = await checkReporter(context);
  check.onEvent({ type: 'resumed', since: new Date(0), blobs: 2, bytes: 3000 });
  check.onEvent({ type: 'total', blobs: 5, bytes: 9000 });
  check.onEvent({ type: 'blobs', blobs: 3, bytes: 4000 });
  check.onEvent({ type: 'damaged', digest });
  check.finish();
  const collection = await collectionReporter(context);
  collection.onEvent({ type: 'looking', blobs: 64 });
  collection.note('a note');
  collection.finish();
  expect(noted()).toEqual([
    'Going on with the check of 1970-01-01T00:00:00.000Z, which had read 3.0 kB in 2 blobs; --restart begins anew.',
    `damaged: ${digest}`,
    'a note',
  ]);
  expect(drawn()).toBe('');
});

it('on a terminal a line is drawn, cut at its width, safe, and not too often', async () => {
  const { context, noted, drawn } = await testProgram({ isTTY: true });
  const { columns } = context.stderr;
  const check = await checkReporter(context);
  check.onEvent({ type: 'links', repository: `\u001b[2J${'x'.repeat(500)}` });
  check.onEvent({ type: 'links', repository: 'b' });
  check.finish();
  const line = drawn();
  expect(line).toContain('Looking at the links of ?[2Jxxx');
  expect(line).not.toContain('x'.repeat(columns));
  expect(line).not.toContain('links of b');
  const collection = await collectionReporter(context);
  collection.onEvent({ type: 'reading', repository: 'first' });
  collection.onEvent({ type: 'reading', repository: 'second' });
  collection.note('a note');
  collection.finish();
  expect(drawn()).toMatch(/manifests of first(?!.*second)/s);
  expect(noted()).toEqual(['a note']);
});

it('a fault is told with where it is, and what it costs', () => {
  const fault = { where: 'docker/x', digest, mend: 'none', images: [] } as const;
  expect(describedFault({ ...fault, kind: 'damaged-blob' })).toBe(`damaged blob ${digest}`);
  expect(describedFault({ ...fault, kind: 'garbled-tag' })).toBe('garbled tag docker/x');
  const images = Array.from({ length: 7 }, (_, at) => `a:${at}`);
  expect(neededBy({ ...fault, kind: 'garbled-tag' })).toBe('');
  expect(neededBy({ ...fault, kind: 'garbled-tag', images: images.slice(0, 5) })).toMatch(/a:3, a:4$/);
  expect(neededBy({ ...fault, kind: 'garbled-tag', images })).toBe(', needed by a:0, a:1, a:2, a:3, a:4, and 2 more');
});
