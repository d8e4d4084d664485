// What `load` prints, and which options it refuses. What it does is tested in tasks/make.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildImage, layerOf } from '../../../test/fixtures/image.ts';
import { putFixture } from '../../tasks/testing/hosts-and-store.ts';
import { testProgram } from '../testing/program.ts';

/** A cluster with a node that takes images, and one that does not run. */
async function clustered() {
  const program = await testProgram({ env: { KIND_EXPERIMENTAL_PROVIDER: 'kind-docker' } });
  const { path } = program.world;
  await program.world.script(
    'bin/kind-docker',
    'case "$*" in "ps "*=kind*) printf "good\\nbad\\n" ;; *"bad ctr"*) echo "it is paused" >&2; exit 1 ;; *uname*) uname -m ;; *import*) cat >/dev/null ;; esac',
  );
  const env = { ...program.context.env, PATH: `${join(path, 'bin')}:${process.env.PATH}` };
  Object.assign(program.context, { env });
  const { stripped } = await program.store();
  await putFixture(stripped, { path: 'team/app', tag: '1' }, buildImage({ layers: [layerOf([{ name: 'a' }])] }));
  return program;
}

it('load tells of each node, and fails if one did', async () => {
  const { run, noted, printed } = await clustered();
  expect(await run('load', 'team/app:1')).toBe(1);
  expect(printed()).toBe('');
  expect(noted()).toEqual([
    'FAILED bad: ctr failed: it is paused',
    'good: 1 image on the way',
    'good: 1 image loaded',
    'Does the node run? `kind-docker exec --privileged -i bad ctr version` shows what is wrong.',
  ]);
});

it('load --json has what each node got, and why one did not', async () => {
  const { run, printed } = await clustered();
  expect(await run('load', '--json', '--kind', 'team/app:1')).toBe(1);
  expect(JSON.parse(printed())).toEqual({
    ok: false,
    nodes: [
      {
        node: 'bad',
        loaded: [],
        alreadyThere: [],
        error: expect.objectContaining({ code: 'UNREACHABLE', message: 'bad: ctr failed: it is paused' }),
      },
      {
        node: 'good',
        platform: expect.stringMatching(/^linux\//),
        loaded: ['docker.io/team/app:1'],
        alreadyThere: [],
      },
    ],
  });
});

it('load --k3s=DIR puts archives there', async () => {
  const { must, noted, world } = await clustered();
  await world.file('k3s/server/token', '');
  await must('load', `--k3s=${join(world.path, 'k3s')}`, 'team/app:1');
  expect(noted().at(-1)).toBe(`${join(world.path, 'k3s/agent/images')}: 1 image loaded`);
});

it.each([
  [[], 'load needs an item [ITEM]'],
  [['--kind=a', '--k3s', 'a:1'], 'one cluster at a time: --kind or --k3s'],
])('%j is refused', async (argv, message) => {
  const { run } = await clustered();
  await expect(run('load', ...argv)).rejects.toMatchObject({ code: 'USAGE', message });
});
