// The lreg_* commands give the same answers with Debian's docker-registry and with the embedded registry as the private registry.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildImage, buildIndex, pushImage, randomLayer } from '../fixtures/image.ts';
import { writeOverlay } from '../fixtures/overlay.ts';
import { startDockerRegistry } from '../peers/docker-registry.ts';
import { needs } from '../peers/find.ts';
import { must } from '../peers/process.ts';
import { newWorld } from '../peers/program.ts';

const AMD64 = buildImage({
  layers: [randomLayer('peers one', 200_000), randomLayer('peers two', 100_000)],
  env: ['PATH=/bin', 'A=b'],
  labels: { version: '1.2', maintainer: 'nobody' },
});
const ARM64 = buildImage({ layers: [randomLayer('peers arm', 50_000)], architecture: 'arm64' });
const DOCKER = buildImage({ layers: [randomLayer('peers docker', 60_000)], kind: 'docker' });
const INDEX = buildIndex([AMD64, ARM64]);

/** Upstream images of two hosts, and a private registry: docker-registry, or the embedded one. */
async function setting(kind: 'docker-registry' | 'embedded') {
  const upstream = await startDockerRegistry();
  const world = await newWorld();
  await pushImage(upstream.base, 'library/plain:1', AMD64);
  await pushImage(upstream.base, 'library/plain:2', DOCKER);
  await pushImage(upstream.base, 'team/many:1', INDEX);
  await pushImage(upstream.base, 'quay/team/tool:v1', DOCKER);
  await world.mirror({ 'docker.io': upstream.host, 'quay.io': `${upstream.host}/quay` });
  const other = kind === 'docker-registry' ? await startDockerRegistry() : undefined;
  const registry = other ?? (await world.startRegistry());
  const env = other ? { LOCAL_REGISTRY: other.host } : {};
  return {
    upstream,
    world,
    registry,
    images: (...args: readonly string[]) => world.images(args, { env }),
    must: (...args: readonly string[]) => world.must(args, { env }),
    [Symbol.asyncDispose]: async () => {
      await world[Symbol.asyncDispose]();
      await other?.[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

const peer = needs('docker-registry');
describe.each(['docker-registry', 'embedded'] as const)('the private registry is %s', (kind) => {
  it.skipIf(peer.missing)(`lreg_cache, lreg_ls, lreg_isloaded, lreg_rm${peer.why}`, async () => {
    await using here = await setting(kind);
    for (const image of ['docker.io/library/plain:1', 'plain:2', 'quay.io/team/tool:v1'])
      await here.must('lreg_cache', image);
    expect(await here.must('lreg_ls')).toBe('library/plain:\n  ["1","2"]\nteam/tool:\n  ["v1"]\n');
    const loaded = async (name: string) => {
      const { status, stdout } = await here.images('lreg_isloaded', name);
      expect(stdout).toBe('');
      return status;
    };
    expect(await loaded('docker.io/library/plain:1')).toBe(0);
    expect(await loaded('library/plain:2')).toBe(0);
    expect(await loaded('"quay.io/team/tool:v1"')).toBe(0);
    expect(await loaded('library/plain')).toBe(1);
    expect(await loaded('docker.io/library/plain:3')).toBe(1);
    expect(await loaded('quay.io/nobody/nothing:1')).toBe(1);
    await here.must('lreg_rm', 'library/plain:2');
    expect(await loaded('library/plain:2')).toBe(1);
    expect(await loaded('library/plain:1')).toBe(0);
    await here.must('lreg_rm', 'quay.io/team/tool:v1');
    expect(await here.must('lreg_ls')).toBe('library/plain:\n  ["1"]\n');
    await here.must('lreg_rm', 'plain:1');
    expect(await here.must('lreg_ls')).toBe('');
  });

  it.skipIf(peer.missing)(`lreg_rm of an image that an index lists${peer.why}`, async () => {
    await using here = await setting(kind);
    await pushImage(here.registry.base, 'team/many:1', buildIndex([AMD64]));
    await pushImage(here.registry.base, 'team/many:1-amd64', AMD64);
    const { status, stderr } = await here.images('lreg_rm', 'team/many:1-amd64');
    if (kind === 'embedded') expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    else
      expect({ status, stderr }).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('team/many:1 is an index'),
      });
    await here.must('lreg_inspect', `team/many@${AMD64.manifest.digest}`);
    await here.must('lreg_rm', 'team/many:1');
    expect(await here.must('lreg_ls')).toBe(kind === 'embedded' ? '' : 'team/many:\n  ["1-amd64"]\n');
  });

  it.skipIf(peer.missing)(`lreg_inspect of an image that no tag is left of${peer.why}`, async () => {
    await using here = await setting(kind);
    await pushImage(here.registry.base, `team/app@${AMD64.manifest.digest}`, AMD64);
    const said = JSON.parse(await here.must('lreg_inspect', `team/app@${AMD64.manifest.digest}`));
    expect(said).toMatchObject({ Architecture: 'amd64', RepoTags: [] });
    const listed = await here.must('lreg_ls');
    // docker-registry cannot distinguish a repository without tags from a missing one.
    expect(listed).toBe(kind === 'embedded' ? 'team/app:\n  []\n' : '');
  });

  it.skipIf(peer.missing)(`lreg_missingimages, lreg_preload${peer.why}`, async () => {
    await using here = await setting(kind);
    const overlay = await writeOverlay(join(here.world.path, 'overlay'), [
      'plain:1',
      'quay.io/team/tool:v1',
      'docker.io/team/many:1',
      'local/never:local',
    ]);
    const missing = await here.images('lreg_missingimages', overlay);
    expect([
      missing.status,
      missing.stdout
        .split('\n')
        .filter((line) => line && !line.includes('local'))
        .sort(),
    ]).toEqual([1, ['docker.io/library/plain:1', 'docker.io/team/many:1', 'quay.io/team/tool:v1']]);
    await here.must('lreg_preload', overlay);
    const left = await here.images('lreg_missingimages', overlay);
    expect(left.stdout).not.toMatch(/plain|tool|many/);
    const digest = async (repository: string, tag: string) =>
      (
        await fetch(`${here.registry.base}/v2/${repository}/manifests/${tag}`, {
          method: 'HEAD',
          headers: { accept: ACCEPT },
        })
      ).headers.get('docker-content-digest');
    expect(await digest('library/plain', '1')).toBe(AMD64.manifest.digest);
    expect(await digest('team/tool', 'v1')).toBe(DOCKER.manifest.digest);
    // docker-registry refuses a sparse index, so the manifest for this machine gets the tag.
    const own = process.arch === 'arm64' ? ARM64 : AMD64;
    expect(await digest('team/many', '1')).toBe(kind === 'embedded' ? INDEX.manifest.digest : own.manifest.digest);
  });

  const inspect = needs('docker-registry', 'skopeo');
  it.skipIf(inspect.missing)(`lreg_inspect says what skopeo inspect says${inspect.why}`, async () => {
    await using here = await setting(kind);
    await here.must(
      'lreg_preload',
      await writeOverlay(join(here.world.path, 'overlay'), ['plain:1', 'plain:2', 'docker.io/team/many:1']),
    );
    for (const name of ['library/plain:1', 'library/plain:2', 'team/many:1']) {
      const said = JSON.parse(await here.must('lreg_inspect', name));
      const told = JSON.parse(
        await must('skopeo', ['inspect', '--tls-verify=false', `docker://${here.registry.host}/${name}`]),
      );
      for (const key of ['Digest', 'Created', 'DockerVersion', 'Labels', 'Architecture', 'Os', 'Layers', 'Env']) {
        expect(said[key] ?? null, `${name} ${key}`).toEqual(emptyAsNull(told[key], said[key]));
      }
      expect(said.Name, name).toMatch(/(library\/plain|team\/many)$/);
      expect(said.RepoTags, name).toEqual([...told.RepoTags].sort());
      // Debian 12's skopeo has no LayersData yet.
      const layers = said.LayersData.map((layer: { readonly Digest: string }) => layer.Digest);
      expect(layers, name).toEqual(said.Layers);
    }
  });
});

const ACCEPT =
  'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json';

/** Makes absent, null and empty values equal, because skopeo and this program differ in that. */
function emptyAsNull(told: unknown, said: unknown): unknown {
  const empty = (value: unknown) => value === undefined || value === null || JSON.stringify(value) === '{}';
  return empty(told) && empty(said) ? (said ?? null) : (told ?? null);
}
