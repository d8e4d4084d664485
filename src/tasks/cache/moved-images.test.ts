import { describe, expect, it } from 'vitest';
import { buildImage, buildIndex, layerOf } from '../../../test/fixtures/image.ts';
import { parsePlatformChoice } from '../../oci/platform.ts';
import { formatReference, fullReference, parseReference } from '../../oci/reference.ts';
import { hostsAndStore } from '../testing/hosts-and-store.ts';
import { changedImages, movedImages, unsuitedImages } from './moved-images.ts';

const version = (data: string, architecture = 'amd64') =>
  buildImage({ architecture, layers: [layerOf([{ name: 'version', data }])] });
const name = (text: string) => fullReference(parseReference(text));

describe('images that moved', () => {
  it('are those whose tag points to something else at their host; one HEAD each finds out', async () => {
    await using ends = await hostsAndStore();
    const same = await ends.load('x.io/same:1', version('1'));
    const moved = await ends.load('x.io/moved:1', version('1'));
    await ends.publish('x.io/same:1', version('1'));
    await ends.publish('x.io/moved:1', version('2'));
    expect(await movedImages([same, moved], ends)).toEqual({ moved: [moved], failed: [] });
    expect([...ends.asked].sort()).toEqual(['HEAD x.io/moved:1', 'HEAD x.io/same:1']);
  });

  it('are never those that are named by digest: no host is asked', async () => {
    await using ends = await hostsAndStore();
    const image = version('1');
    const pinned = await ends.load(`x.io/pinned@${image.manifest.digest}`, image);
    expect(await movedImages([pinned], ends)).toEqual({ moved: [], failed: [] });
    expect(ends.asked).toEqual([]);
  });

  it('are not those that their host no longer has, which is noted', async () => {
    await using ends = await hostsAndStore();
    const gone = await ends.load('x.io/gone:1', version('1'));
    expect(await movedImages([gone], ends)).toEqual({ moved: [], failed: [] });
    expect(ends.world.notes).toEqual(['Its host has it no more, it stays as it is here: x.io/gone:1']);
  });

  it('are looked up until an error of a host, which is only listed if the run goes on', async () => {
    await using ends = await hostsAndStore();
    const here = await ends.load('x.io/a:1', version('1'));
    const far = await ends.load('down.io/a:1', version('1'));
    await ends.publish('x.io/a:1', version('2'));
    ends.cut('down.io');
    await expect(movedImages([here, far], ends)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    const { moved, failed } = await movedImages([here, far], ends, { keepGoing: true });
    expect(moved).toEqual([here]);
    expect(failed).toEqual([
      { name: far, image: 'down.io/a:1', error: expect.objectContaining({ code: 'UNREACHABLE' }) },
    ]);
  });
});

describe('images that changed', () => {
  it('are those that are not here, that differ at their host, or whose host does not say', async () => {
    await using ends = await hostsAndStore();
    const same = await ends.load('x.io/same:1', version('1'));
    const other = await ends.load('x.io/other:1', version('1'));
    const silent = await ends.load('down.io/a:1', version('1'));
    const absent = name('x.io/absent:1');
    await ends.publish('x.io/same:1', version('1'));
    await ends.publish('x.io/other:1', version('2'));
    ends.cut('down.io');
    expect(await changedImages([same, other, silent, absent], ends)).toEqual([other, silent, absent]);
  });

  it('are, if named by digest, those that are not here: no host is asked', async () => {
    await using ends = await hostsAndStore();
    const image = version('1');
    const here = await ends.load(`x.io/a@${image.manifest.digest}`, image);
    const absent = name(`x.io/a@${version('2').manifest.digest}`);
    expect(await changedImages([here, absent], ends)).toEqual([absent]);
    expect(ends.asked).toEqual([]);
  });
});

describe('images for other platforms', () => {
  const arm = parsePlatformChoice('linux/arm64');

  it('are wanted if the index here lacks the platform, without asking the host', async () => {
    await using ends = await hostsAndStore();
    const index = await ends.load('x.io/index:1', buildIndex([version('1')]));
    expect(await unsuitedImages([index], arm, ends)).toEqual([index]);
    expect(ends.asked).toEqual([]);
  });

  it('are wanted if a single image is here and its host has another one', async () => {
    await using ends = await hostsAndStore();
    const single = await ends.load('x.io/single:1', version('1'));
    await ends.publish('x.io/single:1', buildIndex([version('1'), version('1', 'arm64')]));
    expect(await unsuitedImages([single], arm, ends)).toEqual([single]);
  });

  it('are unavailable if the host has the same single image, which is noted', async () => {
    await using ends = await hostsAndStore();
    const single = await ends.load('x.io/single:1', version('1'));
    await ends.publish('x.io/single:1', version('1'));
    expect(await unsuitedImages([single], arm, ends)).toEqual([]);
    expect(ends.world.notes).toEqual([
      `${formatReference(single)} is not there for all of linux/arm64, and its host has it no other way`,
    ]);
  });
});
