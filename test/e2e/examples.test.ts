// The examples of docs/library.md, each run as its first comment says, against a local registry and local files.
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { buildImage, layerOf, pushImage } from '../fixtures/image.ts';
import { writeLayout } from '../fixtures/layout.ts';
import { must, run, start } from '../peers/process.ts';
import { newWorld, ROOT, type World } from '../peers/program.ts';
import { freePort } from '../peers/temporary.ts';
import { startUpstream } from '../peers/upstream.ts';
import { ALPINE, TOOL } from './testing/scene.ts';

const NODE = process.env.IMAGES_TEST_NODE ?? process.execPath;
/** Node 22 cannot parse `using`. */
const knowsUsing = Number(/\d+/.exec(await must(NODE, ['--version']))?.[0]) >= 24;

function example(name: string): string {
  return join(ROOT, 'examples', `${name}.ts`);
}

async function runExample(name: string, world: World, args: readonly string[]): Promise<string> {
  return await must(NODE, [example(name), ...args], { cwd: world.path, env: world.env });
}

describe('examples', () => {
  it('copy-with-progress draws a copy, and says what went wrong with its code', async () => {
    await using world = await newWorld();
    await using upstream = await startUpstream();
    upstream.addImage('library/alpine:1', ALPINE);
    const from = `docker://${upstream.host}/library/alpine:1`;
    const out = await runExample('copy-with-progress', world, [from, 'oci:layout:alpine']);
    expect(out).toContain(`is ${ALPINE.manifest.digest}\n`);
    expect(out).toMatch(/^2 blobs, \d+ bytes; 0 bytes are there\n/);
    const failing = await run(NODE, [example('copy-with-progress'), `${from}0`, 'oci:layout'], {
      cwd: world.path,
      env: world.env,
    });
    expect(failing.status).toBe(1);
    expect(failing.stderr).toContain('MANIFEST_UNKNOWN: ');
  });

  it('overlay-images tells what an overlay uses, and where', async () => {
    await using world = await newWorld();
    const out = await runExample('overlay-images', world, [join(ROOT, 'examples/hello-cluster')]);
    expect(out).toMatch(/^\S+\/\S+:\S+\n {2}\S+web\.yaml:\d+ \S+ \(containers\)\n/m);
  });

  it.skipIf(!knowsUsing)('list-and-diff-files lists, and tells what differs', async () => {
    await using world = await newWorld();
    await writeLayout(join(world.path, 'layout'), {
      a: buildImage({ layers: [layerOf([{ name: 'motd', data: 'old' }])] }),
      b: buildImage({
        layers: [
          layerOf([
            { name: 'motd', data: 'newer' },
            { name: 'new', data: '' },
          ]),
        ],
      }),
    });
    expect(await runExample('list-and-diff-files', world, ['oci:layout:a'])).toMatch(/^0644 3 \/?motd$/m);
    expect(await runExample('list-and-diff-files', world, ['oci:layout:a', 'oci:layout:b'])).toBe(
      'changed motd content\nadded new\n',
    );
  });

  it('build-image builds into a layout, and a second time from what it knows', async () => {
    await using world = await newWorld();
    await mkdir(join(world.path, 'hello'));
    await writeFile(join(world.path, 'hello/Dockerfile'), 'FROM scratch\nCOPY hello.txt /\n');
    await writeFile(join(world.path, 'hello/hello.txt'), 'hello\n');
    const args = ['hello', 'example.com/hello:1', 'layout'];
    expect(await runExample('build-image', world, args)).toMatch(
      /^made +COPY [^\n]+\nexample\.com\/hello:1 is sha256:\w+, 1 /,
    );
    expect(await runExample('build-image', world, args)).toMatch(/^known COPY /);
    expect(await world.must(['ls', 'oci:layout:1'])).toContain('hello.txt');
  });

  it.skipIf(!knowsUsing)('serve-with-policy serves a registry whose tags never move', async () => {
    await using world = await newWorld();
    const port = await freePort();
    const server = start(NODE, [example('serve-with-policy'), 'data', `127.0.0.1:${port}`], {
      cwd: world.path,
      env: world.env,
    });
    const closed = once(server, 'close');
    for await (const line of createInterface({ input: server.stdout as NodeJS.ReadableStream })) {
      if (line.startsWith('serving')) break;
    }
    server.stdout?.resume();
    const base = `http://127.0.0.1:${port}`;
    await pushImage(base, 'team/one:1', ALPINE);
    await pushImage(base, 'team/one:1', ALPINE);
    await expect(pushImage(base, 'team/one:1', TOOL)).rejects.toThrow('403');
    await pushImage(base, 'team/one:2', TOOL);
    server.kill('SIGTERM');
    expect(await closed).toEqual([0, null]);
  });

  it('own-rule finds what no rule of the scanner knows', async () => {
    await using world = await newWorld();
    await writeFile(join(world.path, 'db.yaml'), 'kind: Database\napiVersion: a/v1\nspec:\n  version: "15.2"\n');
    expect(await runExample('own-rule', world, ['.'])).toBe('registry.example.com/db:15.2 db.yaml:4\n');
  });

  it('own-transport makes an image of a file', async () => {
    await using world = await newWorld();
    await writeFile(join(world.path, 'hello.txt'), 'hello\n');
    const digest = await runExample('own-transport', world, ['file:./hello.txt', 'oci:layout:hello']);
    expect(digest).toMatch(/^sha256:\w{64}\n$/);
    expect(await world.must(['cat', 'oci:layout:hello', '/hello.txt'])).toBe('hello\n');
    expect(await world.must(['check', 'oci:layout:hello'])).not.toContain('ERROR');
  });
});
