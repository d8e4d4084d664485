import { describe, expect, it } from 'vitest';
import { decodeManifest, type Index } from '../oci/manifest.ts';
import { parsePlatformChoice } from '../oci/platform.ts';
import { offeredPlatforms, selectChildren } from './select-children.ts';
import { type MadeImage, makeBlob, makeImage, makeIndex } from './testing/images.ts';

const image = (platform: string) => makeImage({ platform, layers: [makeBlob(platform)] });
const amd64 = image('linux/amd64');
const arm6 = image('linux/arm/v6');
const arm7 = image('linux/arm/v7');
const arm64 = image('linux/arm64');
const attestation = { ...image('linux/amd64'), manifest: image('linux/s390x').manifest, platform: 'unknown/unknown' };

function select(children: readonly MadeImage[], choice: string) {
  const { children: selected, lacking } = selectChildren(indexOf(children), parsePlatformChoice(choice));
  const at = new Map(children.map((child) => [child.manifest.digest as string, child]));
  return { selected: selected.map((child) => at.get(child.digest)), lacking: lacking.length };
}

function indexOf(children: readonly MadeImage[]): Index {
  return decodeManifest(makeIndex(children).manifest) as Index;
}

describe('selecting children of an index', () => {
  it('takes the wanted platform alone', () => {
    expect(select([arm64, amd64, arm7], 'linux/amd64')).toEqual({ selected: [amd64], lacking: 0 });
  });

  it('takes the best of several that suit', () => {
    expect(select([arm6, arm7], 'linux/arm/v7').selected).toEqual([arm7]);
    expect(select([arm6, amd64], 'linux/arm/v7').selected).toEqual([arm6]);
  });

  it('takes one child for each wanted platform, in the order wanted, and none twice', () => {
    expect(select([amd64, arm6], 'linux/arm/v7,linux/amd64,linux/arm/v6').selected).toEqual([arm6, amd64]);
  });

  it('names the platforms that no child suits', () => {
    expect(select([amd64], 'linux/amd64,linux/s390x')).toEqual({ selected: [amd64], lacking: 1 });
    expect(select([amd64], 'linux/s390x')).toEqual({ selected: [], lacking: 1 });
  });

  it('leaves attestations, which only `all` takes', () => {
    expect(select([amd64, attestation], 'linux/amd64').selected).toEqual([amd64]);
    expect(select([amd64, attestation], 'all').selected).toEqual([amd64, attestation]);
    expect(offeredPlatforms(indexOf([amd64, attestation, arm7]))).toEqual(['linux/amd64', 'linux/arm/v7']);
  });

  it('takes all where no child states a platform', () => {
    const nested = [makeIndex([amd64]), makeIndex([arm64])];
    expect(select(nested, 'linux/amd64').selected).toEqual(nested);
  });

  it('looks into nested indexes for what no child suits', () => {
    const nested = makeIndex([arm64]);
    expect(select([amd64, nested], 'linux/arm64')).toEqual({ selected: [nested], lacking: 0 });
    expect(select([amd64, nested], 'linux/amd64')).toEqual({ selected: [amd64], lacking: 0 });
  });
});
