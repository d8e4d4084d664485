import { truncate } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { imagesOf } from '../../scan/images.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { inputImages, scanInputFile } from './input-images.ts';

async function* inPieces(text: string, size: number) {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const digest = `sha256:${'0a'.repeat(32)}`;

describe('a text that is too large', () => {
  it('is refused before all of it is in memory', async () => {
    let sent = 0;
    const endless = async function* () {
      for (const chunk = new Uint8Array(1 << 20); ; sent += 1) yield chunk;
    };
    await expect(inputImages(endless())).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    expect(sent).toBe(64);
  });

  it('is refused as a file', async () => {
    await using world = await temporaryWorld();
    const path = await world.file('large.yaml', '');
    await truncate(path, (64 << 20) + 1);
    await expect(scanInputFile(path)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: `larger than 64 MiB [${path}]`,
    });
  });
});

describe('images from standard input', () => {
  it('are those of a list, each once, with their lines', async () => {
    for (const size of [1, 3, 1000]) {
      const { findings } = await inputImages(inPieces('# älter\nalpine:3\nquay.io/x:1\nalpine:3\n', size));
      expect(findings.map(({ image, position }) => [image, position.line])).toEqual([
        ['alpine:3', 2],
        ['quay.io/x:1', 3],
      ]);
    }
  });

  it.each([
    [
      'a Carvel ImagesLock',
      `---\napiVersion: imgpkg.carvel.dev/v1alpha1\nkind: ImagesLock\nimages:\n- image: quay.io/a/b@${digest}\n  annotations:\n    kbld.carvel.dev/id: quay.io/a/b:1\n`,
      [`quay.io/a/b@${digest}`],
    ],
    [
      'a chart’s annotations',
      'apiVersion: v2\nname: x\nversion: 1.0.0\nannotations:\n  artifacthub.io/images: |\n    - name: a\n      image: quay.io/a/b:1\n  helm.sh/images: |\n    - name: c\n      image: docker.io/c:2\n',
      ['docker.io/c:2', 'quay.io/a/b:1'],
    ],
    [
      'what `helm template` prints',
      '---\n# Source: x/templates/pod.yaml\napiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n  - {name: x, image: "quay.io/x/y:1"}\n',
      ['quay.io/x/y:1'],
    ],
    [
      'what `kubeadm config images list -o json` prints',
      '{"kind":"Images","apiVersion":"output.kubeadm.k8s.io/v1alpha2","images":["registry.k8s.io/pause:3.10"]}',
      ['registry.k8s.io/pause:3.10'],
    ],
  ])('are those that %s uses', async (_, text, images) => {
    expect(imagesOf(await inputImages(inPieces(text, 7)))).toEqual(images);
  });
});
