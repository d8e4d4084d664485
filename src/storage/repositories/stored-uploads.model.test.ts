// An upload compared with a model: any requests in any order, with servers that are killed in between, give the state of the model.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect } from '../../../test/contract/content.ts';
import { rounds, timeFor } from '../../../test/testing/soak.ts';
import type { Bytes } from '../../io/streams/bytes.ts';
import { digestOf } from '../../oci/digest.ts';
import type { Registry } from '../../registry/contract.ts';
import { diskStore, memoryStore } from '../drivers/staged-store.ts';
import { testDirectory } from '../testing/directories.ts';
import { storedRegistry } from './stored-registry.ts';

const REPOSITORY = 'team/app';

/** The bytes that the server has acknowledged; `undefined` after the end of the upload. */
interface Model {
  readonly held: Buffer | undefined;
}

interface Scene {
  registry: Registry;
  readonly id: string;
  /** Starts a new server over the same objects. */
  readonly restart: () => Registry;
}

interface Request {
  readonly name: string;
  run(scene: Scene, model: Model): Promise<Model>;
}

async function* sent(bytes: Buffer, breaksOff: boolean): Bytes & AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 700) yield Buffer.from(bytes.subarray(at, at + 700));
  if (breaksOff) throw Object.assign(new Error('the client broke off'), { code: 'BROKEN_OFF' });
}

const chunk = fc.record({
  size: fc.constantFrom(0, 1, 699, 700, 3000),
  fill: fc.constantFrom(1, 2, 3),
  offset: fc.constantFrom<'given' | 'none' | 'wrong'>('given', 'none', 'wrong'),
  breaksOff: fc.boolean(),
});

const append: fc.Arbitrary<Request> = chunk.map(({ size, fill, offset, breaksOff }) => ({
  name: `append ${size} (${offset}${breaksOff ? ', breaks off' : ''})`,
  run: async ({ registry, id }, { held }) => {
    const bytes = Buffer.alloc(size, fill);
    const from = (held?.length ?? 0) + (offset === 'wrong' ? 1 : 0);
    const work = async () => {
      await using upload = await registry.openUpload(REPOSITORY, id);
      return await upload.append(sent(bytes, breaksOff), offset === 'none' ? {} : { from });
    };
    if (held === undefined) {
      await expect(work()).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' });
      return { held };
    }
    if (offset === 'wrong') {
      await expect(work()).rejects.toMatchObject({ code: 'RANGE_INVALID' });
      return { held };
    }
    const after = Buffer.concat([held, bytes]);
    if (breaksOff) await expect(work()).rejects.toMatchObject({ code: 'BROKEN_OFF' });
    else expect(await work()).toBe(after.length);
    return { held: after };
  },
}));

const status: fc.Arbitrary<Request> = fc.constant({
  name: 'status',
  run: async ({ registry, id }, model) => {
    const ask = async () => {
      await using upload = await registry.openUpload(REPOSITORY, id);
      return upload.size;
    };
    if (model.held === undefined) await expect(ask()).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' });
    else expect(await ask()).toBe(model.held.length);
    await expect(registry.openUpload('other/app', id)).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' });
    return model;
  },
});

const commit: fc.Arbitrary<Request> = fc
  .record({ right: fc.boolean(), algorithm: fc.constantFrom('sha256' as const, 'sha512' as const) })
  .map(({ right, algorithm }) => ({
    name: `commit ${right ? 'right' : 'wrong'} ${algorithm}`,
    run: async ({ registry, id }, { held }) => {
      const digest = digestOf(right ? (held ?? Buffer.alloc(0)) : Buffer.from('something else'), algorithm);
      const work = async () => {
        await using upload = await registry.openUpload(REPOSITORY, id);
        return await upload.commit(digest);
      };
      if (held === undefined) {
        await expect(work()).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' });
      } else if (right) {
        expect(await work()).toMatchObject({ digest, size: held.length });
        expect(await collect((await registry.getBlob(REPOSITORY, digest)).body)).toEqual(held);
      } else {
        await expect(work()).rejects.toMatchObject({ code: 'DIGEST_INVALID' });
        expect(await registry.statBlob(REPOSITORY, digest)).toBeUndefined();
      }
      return { held: undefined };
    },
  }));

const cancel: fc.Arbitrary<Request> = fc.constant({
  name: 'cancel',
  run: async ({ registry, id }, { held }) => {
    const work = async () => {
      await using upload = await registry.openUpload(REPOSITORY, id);
      await upload.cancel();
    };
    if (held === undefined) await expect(work()).rejects.toMatchObject({ code: 'BLOB_UPLOAD_UNKNOWN' });
    else await work();
    return { held: undefined };
  },
});

const restart: fc.Arbitrary<Request> = fc.constant({
  name: 'restart',
  run: async (scene, model) => {
    scene.registry = scene.restart();
    return model;
  },
});

const requests = fc.array(
  fc.oneof(
    { arbitrary: append, weight: 6 },
    { arbitrary: status, weight: 2 },
    { arbitrary: commit, weight: 1 },
    { arbitrary: cancel, weight: 1 },
    { arbitrary: restart, weight: 2 },
  ),
  { maxLength: 25 },
);

describe.each(['memory', 'a directory'])('an upload into %s', (driver) => {
  it('has the state of its model', { timeout: timeFor(60_000) }, async () => {
    await fc.assert(
      fc.asyncProperty(requests, async (list) => {
        await using directory = await testDirectory();
        const memory = memoryStore();
        const start = () => storedRegistry(driver === 'memory' ? memory : diskStore(directory.path));
        const registry = start();
        const begun = await registry.openUpload(REPOSITORY);
        await begun[Symbol.asyncDispose]();
        const scene: Scene = { registry, id: begun.id, restart: start };
        let model: Model = { held: Buffer.alloc(0) };
        for (const request of list) model = await request.run(scene, model);
      }),
      { numRuns: rounds(30) },
    );
  });
});
