// Which entry of an index.json is replaced by a new one, and that the time for it does not depend on the number of entries.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { growth, LINEAR } from '../../../test/testing/growth.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestOf } from '../../oci/digest.ts';
import { layoutEntries } from './layout-entry.ts';
import { IMAGE_NAME, REF_NAME } from './layout-index.ts';

interface Names {
  readonly image?: string;
  readonly tag?: string | undefined;
  readonly full?: string | undefined;
}

function entryOf({ image = 'one', tag, full }: Names): Descriptor {
  const annotations = { ...(full && { [IMAGE_NAME]: full }), ...(tag && { [REF_NAME]: tag }) };
  const named = Object.keys(annotations).length > 0;
  return { mediaType: 'x', digest: digestOf(Buffer.from(image)), size: 1, ...(named && { annotations }) };
}

/** The rule as documented, for a single entry. */
function replaces(entry: Names, other: Names, ref: string | undefined): boolean {
  if (entry.tag === undefined && entry.full === undefined) return false;
  if (other.tag === undefined && other.full === undefined) return other.image === entry.image;
  if (other.tag !== entry.tag) return false;
  if (ref !== undefined && entry.tag === ref) return true;
  return other.full === entry.full || other.full === undefined || entry.full === undefined;
}

const names = fc.record({
  image: fc.constantFrom('one', 'two', 'three'),
  tag: fc.constantFrom(undefined, '1', '2', 'quay.io/a:1'),
  full: fc.constantFrom(undefined, 'quay.io/a:1', 'quay.io/b:1', 'quay.io/a:2'),
});

describe('the entries of a layout', () => {
  it('are kept, except those with the name of the new entry, which replaces them', () => {
    fc.assert(
      fc.property(fc.array(names, { maxLength: 12 }), fc.constantFrom(undefined, '1', 'x'), (list, ref) => {
        const entries = layoutEntries([]);
        let model: Names[] = [];
        for (const one of list) {
          entries.put(entryOf(one), ref);
          const isNamed = one.tag !== undefined || one.full !== undefined;
          if (!isNamed && model.some(({ image }) => image === one.image)) continue;
          const at = model.findIndex((other) => replaces(one, other, ref));
          model = at < 0 ? [...model, one] : model.with(at, one).filter((m, i) => i === at || !replaces(one, m, ref));
        }
        expect(entries.list()).toEqual(model.map(entryOf));
      }),
    );
  });

  it('may be of any kind: what is not understood stays where it is', () => {
    const listed = [null, 'text', { digest: 7 }, entryOf({ tag: '1' }), { annotations: [] }];
    const entries = layoutEntries(listed);
    entries.put(entryOf({ image: 'two', tag: '1' }));
    expect(entries.list()).toEqual(listed.with(3, entryOf({ image: 'two', tag: '1' })));
  });

  it('lose a name however it is written', () => {
    const stay = entryOf({ tag: 'other:1' });
    const entries = layoutEntries([
      entryOf({ tag: 'alpine:3' }),
      entryOf({ tag: '3', full: 'docker.io/library/alpine:3' }),
      stay,
      entryOf({ full: 'index.docker.io/alpine:3' }),
    ]);
    entries.drop('docker.io/library/alpine:3');
    expect(entries.list()).toEqual([stay]);
  });

  it.each([
    ['of one image under many names', (at: number) => ({ tag: 'latest', full: `quay.io/app${at}:latest` })],
    ['of many images with one tag', (at: number) => ({ image: `${at}`, tag: '1', full: `quay.io/app${at}:1` })],
    ['of many images without a name', (at: number) => ({ image: `${at}` })],
    ['that take the place of each other', (at: number) => ({ image: `${at}`, tag: '1', full: 'quay.io/app:1' })],
  ])('%s cost the same each', async (_, nameOf) => {
    const make = (count: number) => Array.from({ length: count }, (_, at) => entryOf(nameOf(at)));
    const run = (list: readonly Descriptor[]) => {
      const entries = layoutEntries([]);
      for (const entry of list) {
        entries.drop(entry.annotations?.[IMAGE_NAME] ?? 'quay.io/none:1');
        entries.put(entry);
      }
      return entries.list();
    };
    expect(await growth(500, make, run)).toBeLessThan(LINEAR);
  });
});
