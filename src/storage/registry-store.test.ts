import { expect, it, onTestFinished, vi } from 'vitest';
import { imageOf, pushImage } from '../../test/contract/content.ts';
import type { Action, Asker } from '../access/contract.ts';
import { asAsking } from '../access/current-asker.ts';
import { permitted } from '../access/permitted.ts';
import { permittedNames } from '../access/permitted-names.ts';
import { memoryStore } from './drivers/staged-store.ts';
import { registryStore } from './registry-store.ts';
import { manifestHistory } from './repositories/manifest-history.ts';

const [first, second] = [imageOf('first'), imageOf('second')];
const asker: Asker = { via: 'nobody', address: '10.0.0.9' };

/** A store whose clients may do only this. */
function storeFor(...allow: readonly Action[]) {
  const may = (_: Asker, action: Action) => allow.includes(action);
  return registryStore(memoryStore(), {
    policy: (repositories) => permitted(repositories, may),
    namesPolicy: (names) => permittedNames(names, may),
    rules: async () => ({ immutable: [{ repository: 'app', tag: 'v*' }] }),
  });
}

it('an immutable tag stays for those who may push and not pull, too', async () => {
  const { registry, stripped } = storeFor('push');
  await asAsking({ asker }, () => pushImage(registry, 'app', first, ['v1']));
  await expect(asAsking({ asker }, () => pushImage(registry, 'app', second, ['v1']))).rejects.toMatchObject({
    code: 'DENIED',
    message: 'the tag is immutable [app:v1]',
  });
  expect((await stripped.statManifest('app', 'v1'))?.digest).toBe(first.manifest.digest);
});

it('who may also pull is told what an immutable tag is', async () => {
  const { registry } = storeFor('push', 'pull');
  await asAsking({ asker }, () => pushImage(registry, 'app', first, ['v1']));
  await expect(asAsking({ asker }, () => pushImage(registry, 'app', second, ['v1']))).rejects.toMatchObject({
    message: `the tag is immutable, and is ${first.manifest.digest} [app:v1]`,
  });
});

it('a manifest that is got by its digest stays where it was got from, not where the client may not look', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const may = (_: Asker, __: Action, repository?: string) => repository === 'docker.io/team/app';
  const { registry, stripped, objects } = registryStore(memoryStore(), {
    policy: (all) => permitted(all, may),
    namesPolicy: (names) => permittedNames(names, may),
  });
  const { digest } = first.manifest;
  for (const name of ['team/app', 'docker.io/team/app']) {
    await pushImage(stripped, name, first, ['1']);
    await stripped.deleteTag(name, '1');
  }
  vi.setSystemTime(Date.now() + 2 * 3_600_000);
  const got = await asAsking({ asker }, () => registry.getManifest('docker.io/team/app', digest));
  expect(got.digest).toBe(digest);
  const history = manifestHistory(objects);
  expect(await history.hasComeByDigest('docker.io/team/app', digest)).toBe(true);
  expect(await history.hasComeByDigest('team/app', digest)).toBe(false);
});

it('full names go with their tag and with their manifest, also when those delete who may not pull', async () => {
  const { registry, stripped, names } = storeFor('delete');
  await pushImage(stripped, 'app', first, ['1', '2']);
  for (const tag of ['1', '2']) await names.set('docker.io', 'library/app', tag, first.manifest.digest);
  await asAsking({ asker }, () => registry.deleteTag('app', '1'));
  expect((await Array.fromAsync(names.all())).map(({ tag }) => tag)).toEqual(['2']);
  await asAsking({ asker }, () => registry.deleteManifest('app', first.manifest.digest));
  expect(await Array.fromAsync(names.all())).toEqual([]);
});
