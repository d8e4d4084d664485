import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openEmbeddedStore } from '../../storage/embedded-store.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { checkNodeConfig } from './node-check.ts';

/** Answers as a node with podman; `pulls` is what it says of test pulls. */
async function fakeNode(world: TemporaryWorld, pulls: string): Promise<string> {
  return await world.script(
    'node',
    `script=$(cat)
case $script in
*node-check/*) printf '${pulls}'; echo "$script" | grep -o 'node-check/[0-9a-f]*' | head -1 >"${world.path}/image" ;;
*) printf '@ program podman podman version 4\\n@ file /etc/containers/registries.conf\\n|unqualified-search-registries = ["docker.io"]\\n@ file /etc/containers/policy.json\\n|{}\\n' ;;
esac
echo '@ end'`,
  );
}

it('a check of a node asks it by the command, with test pulls of an image that is removed again', async () => {
  await using world = await temporaryWorld();
  const data = join(world.path, 'data');
  await world.file('data/docker/registry/v2/x', '');
  const store = await openEmbeddedStore(data);
  const settings = { ...world.settings(), data };
  const exec = await fakeNode(world, '@ pulled podman docker.io\\n@ failed podman quay.io no such host\\n');
  const check = await checkNodeConfig({ registries: ['10.0.0.1'], exec, pull: true }, settings);
  expect(check.pulls).toEqual([
    { runtime: 'podman', host: 'docker.io', isPulled: true },
    { runtime: 'podman', host: 'quay.io', isPulled: false, error: 'no such host' },
  ]);
  expect(check.runtimes[0]?.findings.map(({ what }) => what)).toEqual([
    'it does not ask the private registry first for docker.io, quay.io, registry.k8s.io',
    'it does not get what the private registry has for quay.io: no such host',
  ]);
  expect(await Array.fromAsync(store.registry.repositories())).toEqual([]);
});

it('a check of a node does without a registry, and says so', async () => {
  await using world = await temporaryWorld();
  const notes: string[] = [];
  const settings = { ...world.settings(), onNote: (text: string) => notes.push(text) };
  const { registry, runtimes } = await checkNodeConfig({ registries: [], exec: await fakeNode(world, '') }, settings);
  expect([registry, runtimes[0]?.findings]).toEqual([undefined, []]);
  expect(notes).toContainEqual(expect.stringContaining('cannot be told: no private registry'));
});

it('a node that cannot be asked is an error with what was said', async () => {
  await using world = await temporaryWorld();
  const exec = await world.script('node', 'echo no route >&2; exit 255');
  const asked = checkNodeConfig({ registries: ['10.0.0.1'], exec }, world.settings());
  await expect(asked).rejects.toMatchObject({ code: 'UNREACHABLE', message: expect.stringContaining('no route') });
  const silent = checkNodeConfig({ registries: ['10.0.0.1'], exec: 'true' }, world.settings());
  await expect(silent).rejects.toMatchObject({ code: 'BAD_ANSWER' });
});
