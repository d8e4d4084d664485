// What is mended, and from where; what is left, and why. What a check finds is tested in storage/check.

import { describe, expect, it, onTestFinished } from 'vitest';
import { buildImage, buildIndex, type FixtureImage, layerOf } from '../../../test/fixtures/image.ts';
import type { RepairEvent } from '../../observe/housekeeping.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { checkStore } from '../../storage/check/check-store.ts';
import type { StoreFault } from '../../storage/check/findings.ts';
import { blobKey, layerLinkKey, revisionLinkKey, tagLinkKey } from '../../storage/layout/registry-keys.ts';
import { hostsAndStore, putFixture } from '../testing/hosts-and-store.ts';
import { hintOf, type RepairOptions, repairStore } from './repair-store.ts';

const layer = (name: string) => layerOf([{ name, data: name }]);
const APP = buildImage({ layers: [layer('base'), layer('app')] });
const TOOL = buildImage({ layers: [layer('base'), layer('tool')] });
const MANY = buildIndex([APP, buildImage({ layers: [layer('arm')], architecture: 'arm64' })]);

const digestsOf = ({ manifest, blobs, children }: FixtureImage): readonly Digest[] =>
  [...children.flatMap(digestsOf), manifest.digest, ...blobs.map(({ digest }) => digest)] as Digest[];
const [APP_MANIFEST, APP_CONFIG, BASE, APP_LAYER] = digestsOf(APP) as [Digest, Digest, Digest, Digest];
const TOOL_LAYER = digestsOf(TOOL).at(-1) as Digest;

/** `quay.io/team/app:1` and `ghcr.io/team/tool:1` are in the store, and on their hosts. */
async function scene() {
  const ends = await hostsAndStore();
  onTestFinished(() => ends[Symbol.asyncDispose]());
  const { store, hosts } = ends;
  const bring = async (name: string, image: FixtureImage) => {
    await ends.publish(name, image);
    await ends.load(name, image);
  };
  await bring('quay.io/team/app:1', APP);
  await bring('ghcr.io/team/tool:1', TOOL);
  const check = () => checkStore(store, { youngMs: -60_000, betweenMs: 1 });
  const events: RepairEvent[] = [];
  const repair = async (options: Partial<RepairOptions> = {}) =>
    await repairStore(await check(), {
      store,
      hosts: async () => hosts,
      betweenMs: 1,
      onEvent: (event) => events.push(event),
      ...options,
    });
  /** Wrong bytes of the right size. */
  const damage = async (digest: Digest) => {
    const size = (await store.blobs.find(digest))?.size ?? 0;
    await store.objects.put(blobKey(digest), Buffer.alloc(size, 'x'));
  };
  const lose = (digest: Digest) => store.objects.delete([blobKey(digest)]);
  const empty = (key: string) => store.objects.put(key, new Uint8Array());
  const fetched = () => events.flatMap((event) => (event.type === 'fetching' ? [`${event.digest} ${event.from}`] : []));
  return { ...ends, bring, check, repair, damage, lose, empty, events, fetched };
}

const kinds = (faults: readonly StoreFault[]) => faults.map(({ kind }) => kind).sort();

describe('what is damaged or missing', () => {
  it('comes from where its image came from, whichever blob it is', async () => {
    const { repair, damage, lose, check, fetched, events } = await scene();
    await damage(APP_LAYER);
    await damage(APP_MANIFEST);
    await lose(APP_CONFIG);
    const { mended, faults } = await repair();
    expect(faults).toEqual([]);
    const blobs = mended.flatMap(({ kind, digest }) => (kind.endsWith('-blob') ? [digest] : []));
    expect(blobs.sort()).toEqual([APP_LAYER, APP_MANIFEST, APP_CONFIG].sort());
    expect(fetched().sort()).toEqual(
      [APP_LAYER, APP_MANIFEST, APP_CONFIG].map((digest) => `${digest} quay.io/team/app`).sort(),
    );
    expect(events.filter(({ type }) => type === 'mended')).toHaveLength(mended.length);
    expect((await check()).findings).toEqual([]);
  });

  it('of several images comes from any of their hosts that has it', async () => {
    const { repair, damage, cut, fetched } = await scene();
    cut('quay.io');
    await damage(BASE);
    expect(await repair()).toMatchObject({ mended: [{ digest: BASE }], faults: [] });
    expect(fetched()).toEqual([`${BASE} quay.io/team/app`, `${BASE} ghcr.io/team/tool`]);
  });

  it('shows by its return what else is missing', async () => {
    const { repair, bring, lose, check } = await scene();
    await bring('quay.io/team/many:1', MANY);
    for (const digest of digestsOf(MANY)) await lose(digest);
    const { mended, faults } = await repair();
    expect(faults).toEqual([]);
    expect(new Set(mended.map(({ digest }) => digest))).toEqual(new Set(digestsOf(MANY)));
    expect((await check()).findings).toEqual([]);
  });

  it('is found at a host by the name of its repository, if that begins with one', async () => {
    const { repair, publish, store, damage, fetched } = await scene();
    const image = buildImage({ layers: [layer('own')] });
    await publish('quay.io/x/y:1', image);
    await putFixture(store.stripped, { path: 'quay.io/x/y', tag: '1' }, image);
    const digest = digestsOf(image).at(-1) as Digest;
    await damage(digest);
    expect((await repair()).faults).toEqual([]);
    expect(fetched()).toEqual([`${digest} quay.io/x/y`]);
  });

  it('stays where nothing says where it came from', async () => {
    const { repair, store, damage, fetched } = await scene();
    const image = buildImage({ layers: [layer('pushed')] });
    await putFixture(store.stripped, { path: 'team/pushed', tag: '1' }, image);
    await damage(digestsOf(image).at(-1) as Digest);
    const { mended, faults } = await repair();
    expect([mended, fetched()]).toEqual([[], []]);
    expect(faults).toEqual([expect.not.objectContaining({ why: expect.anything() })]);
    expect(faults[0]?.images).toEqual(['team/pushed:1']);
  });

  it('stays with the reason where its host does not have it, or has something else', async () => {
    const { repair, load, publish, damage } = await scene();
    const gone = buildImage({ layers: [layer('gone')] });
    await load('quay.io/team/gone:1', gone);
    await publish('quay.io/team/gone:2', APP);
    const digest = digestsOf(gone).at(-1) as Digest;
    await damage(digest);
    const { faults } = await repair();
    expect(faults).toEqual([expect.objectContaining({ digest, why: expect.stringContaining(digest) })]);
  });

  it('is not asked for again at a host that cannot be reached', async () => {
    const { repair, load, damage, cut, fetched } = await scene();
    const layers = Array.from({ length: 8 }, (_, at) => layer(`far ${at}`));
    await load('far.io/x/y:1', buildImage({ layers }));
    for (const { digest } of layers) await damage(digest as Digest);
    cut('far.io');
    const { faults } = await repair();
    expect(faults.map(({ why }) => why)).toEqual(layers.map(() => 'cannot reach far.io'));
    // Some are asked for at the same time.
    expect(fetched().length).toBeLessThan(layers.length / 2);
  });

  it('is mended only as far as it is meant, also where more is known to be damaged', async () => {
    const { repair, check, damage, empty, fetched } = await scene();
    await damage(APP_LAYER);
    await damage(TOOL_LAYER);
    await empty(tagLinkKey('team/tool', '1'));
    await check();
    const only = {
      repositories: ['team/app'],
      isMeant: ({ images }: StoreFault) => images.includes('team/app:1'),
    };
    expect(await repair({ only })).toMatchObject({ mended: [{ digest: APP_LAYER }], faults: [] });
    expect(fetched()).toHaveLength(1);
    expect(kinds((await check()).findings)).toEqual(['damaged-blob', 'garbled-tag']);
  });

  it('whose size nothing tells is asked for', async () => {
    const { store, hosts, damage } = await scene();
    await damage(APP_LAYER);
    await checkStore(store, { betweenMs: 1 });
    const lost = { digest: APP_LAYER, size: undefined, isManifest: false, repositories: ['team/app'], images: [] };
    const absent = { ...lost, digest: `sha256:${'0'.repeat(64)}` } as const;
    const fault = ({ digest }: { readonly digest: Digest }): StoreFault => ({
      kind: 'missing-blob',
      where: blobKey(digest),
      digest,
      mend: 'fetch',
      images: [],
    });
    const findings = [lost, absent].map(fault);
    const check = { findings, lost: [lost, absent], isMore: false };
    expect(await repairStore(check, { store, hosts: async () => hosts, betweenMs: 1 })).toMatchObject({
      mended: [{ digest: APP_LAYER }],
    });
    expect(await store.blobs.find(APP_LAYER)).toBeDefined();
  });
});

describe('links and records', () => {
  it('are written, and those that lead nowhere go, without asking anybody', async () => {
    const { repair, empty, store, check, fetched } = await scene();
    await empty(layerLinkKey('team/app', BASE));
    await empty(revisionLinkKey('team/app', APP_MANIFEST));
    await empty(tagLinkKey('team/app', '1'));
    await store.names.set('quay.io', 'team/none', '1', BASE);
    const { mended, faults } = await repair();
    expect(kinds(mended)).toEqual(['garbled-link', 'garbled-link', 'garbled-tag', 'stale-record']);
    expect([faults, fetched(), (await check()).findings]).toEqual([[], [], []]);
  });
});

describe('a disk that takes nothing', () => {
  const full = async () => {
    throw new ImagesError('NO_SPACE', 'no space left on the disk');
  };

  it('ends the fetching with the first blob, and says why', async () => {
    const { repair, damage, store, fetched } = await scene();
    for (const digest of [APP_LAYER, APP_CONFIG, BASE, TOOL_LAYER]) await damage(digest);
    const unwritable = { ...store, blobs: { ...store.blobs, write: full, put: full } };
    const { mended, faults } = await repair({ store: unwritable });
    expect([mended, faults.length]).toEqual([[], 4]);
    for (const { why } of faults) expect(why).toBe('no space left on the disk');
    expect(fetched().length).toBeLessThan(4);
  });

  it('leaves links as they are, and says why', async () => {
    const { repair, empty, store } = await scene();
    await empty(layerLinkKey('team/app', BASE));
    const unwritable = { ...store, objects: { ...store.objects, put: full } };
    expect(await repair({ store: unwritable })).toMatchObject({
      mended: [],
      faults: [{ kind: 'garbled-link', why: 'no space left on the disk' }],
    });
  });

  it('is not blamed for another error', async () => {
    const { repair, empty, store } = await scene();
    await empty(layerLinkKey('team/app', BASE));
    const broken = async () => {
      throw new Error('a bug');
    };
    await expect(repair({ store: { ...store, objects: { ...store.objects, put: broken } } })).rejects.toThrow('a bug');
  });
});

it('ends with the signal’s reason; what was mended until then stays so', async () => {
  const { store, hosts, check, damage } = await scene();
  const ending = new AbortController();
  for (const digest of [APP_MANIFEST, APP_LAYER, APP_CONFIG, BASE]) await damage(digest);
  const found = await check();
  const repairing = repairStore(found, {
    store,
    hosts: async () => hosts,
    signal: ending.signal,
    onEvent: ({ type }) => {
      if (type === 'mended') ending.abort(new Error('enough'));
    },
  });
  await expect(repairing).rejects.toThrow('enough');
  expect((await check()).findings.length).toBeLessThan(found.findings.length);
});

const images = ['team/app:1'];
it.each<[string, Partial<StoreFault>, boolean, string]>([
  ['can be mended and was not', { mend: 'fetch', images }, false, 'lreg_check --repair'],
  ['could not be mended', { mend: 'fetch', images }, true, 'images lreg_rm team/app:1'],
  ['cannot be mended', { mend: 'none', images }, false, 'lreg_cache --force'],
  ['was built here', { mend: 'none', images: ['x:1 (built here)'] }, false, 'Build the image again'],
  ['is damaged and needed by nothing', { mend: 'none' }, false, 'lreg_gc'],
  ['costs nothing', { kind: 'stale-link', mend: 'delete' }, true, 'Nothing is lost'],
])('the hint for what %s', (_, fault, wasRepaired, expected) => {
  const whole: StoreFault = { kind: 'damaged-blob', where: 'x', mend: 'none', images: [], ...fault };
  expect(hintOf(whole, wasRepaired)).toContain(expected);
});
