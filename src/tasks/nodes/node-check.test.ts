import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openEmbeddedStore } from '../../storage/embedded-store.ts';
import { type TemporaryWorld, temporaryWorld } from '../testing/temporary-world.ts';
import { checkNodeConfig } from './node-check.ts';
import { runOnNode } from './run-on-node.ts';

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
  const endless = checkNodeConfig({ registries: ['10.0.0.1'], exec: 'yes "@ file" #' }, world.settings());
  await expect(endless).rejects.toMatchObject({ message: expect.stringContaining('it printed more than 4 MiB') });
  const empty = checkNodeConfig({ registries: ['10.0.0.1'], exec: ' ' }, world.settings());
  await expect(empty).rejects.toMatchObject({ code: 'USAGE' });
  const late = runOnNode({ script: '', limit: 50 }, 'sleep 60 #', world.settings());
  await expect(late).rejects.toMatchObject({ code: 'UNREACHABLE', message: expect.stringContaining('no answer') });
  const silent = checkNodeConfig({ registries: ['10.0.0.1'], exec: 'true' }, world.settings());
  await expect(silent).rejects.toMatchObject({ code: 'BAD_ANSWER' });
});

it('what was put there for test pulls is removed also when the signal ends them', async () => {
  await using world = await temporaryWorld();
  const data = join(world.path, 'data');
  await world.file('data/docker/registry/v2/x', '');
  const store = await openEmbeddedStore(data);
  const stop = new AbortController();
  const settings = { ...world.settings(), data, signal: stop.signal };
  const exec = await fakeNode(world, '');
  await writeFile(
    exec,
    (await readFile(exec, 'utf8')).replace('printf', `: >${world.path}/begun; exec sleep 60; printf`),
  );
  const check = checkNodeConfig({ registries: ['10.0.0.1'], exec, pull: true }, settings);
  const begun = async () => (await readdir(world.path)).includes('begun');
  while (!(await begun())) await new Promise((done) => setTimeout(done, 10));
  expect(await Array.fromAsync(store.registry.repositories())).toHaveLength(1);
  stop.abort(new Error('enough'));
  await expect(check).rejects.toThrow('enough');
  expect(await Array.fromAsync(store.registry.repositories())).toEqual([]);
});

it('a test pull for which the node has no program is told of', async () => {
  await using world = await temporaryWorld();
  await world.file('data/docker/registry/v2/x', '');
  const notes: string[] = [];
  const onNote = (text: string) => notes.push(text);
  const settings = { ...world.settings(), data: join(world.path, 'data'), onNote };
  const exec = await fakeNode(world, '@ none podman docker.io\\n');
  const check = await checkNodeConfig({ registries: ['10.0.0.1'], exec, pull: true }, settings);
  expect([check.pulls, notes]).toEqual([[], ['No test pull for podman: there is no podman or crictl.']]);
});
