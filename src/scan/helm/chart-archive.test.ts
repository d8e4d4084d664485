import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { imagesOf } from '../images.ts';
import { scanFiles } from '../testing/scan-files.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

/** Packs files as `helm package` does. */
function packed(files: Files): Uint8Array {
  const top = mkdtempSync(join(tmpdir(), 'images-chart-'));
  try {
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(join(top, dirname(file)), { recursive: true });
      writeFileSync(join(top, file), content);
    }
    return execFileSync('tar', ['-C', top, '-czf', '-', ...Object.keys(files)]);
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}

const chart = (name: string, image = '{{ .Values.image }}'): Files => ({
  [`${name}/Chart.yaml`]: `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n`,
  [`${name}/values.yaml`]: `image: quay.io/x/${name}:1\n`,
  [`${name}/templates/pod.yaml`]: `apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: ${image}\n`,
});
const REDIS = packed(chart('redis'));
const PARENT =
  'apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies: [{name: redis, version: 1.0.0, condition: redis.enabled}]\n';

describe('a packed chart', () => {
  it('below another one is rendered with what that one gives it', async () => {
    const found = await scanFiles({
      'Chart.yaml': PARENT,
      'values.yaml': 'redis: {image: quay.io/mirror/redis:2}\n',
      'charts/redis-1.0.0.tgz': REDIS,
    });
    expect(imagesOf(found)).toEqual(['quay.io/mirror/redis:2']);
    expect(found.findings[0]?.place).toMatchObject({
      file: 'charts/redis-1.0.0.tgz!redis/templates/pod.yaml',
      line: 5,
    });
    expect(found.warnings).toEqual([]);
  });

  it('that is switched off is a maybe, and may hold others', async () => {
    const outer = packed({ ...chart('outer'), 'outer/charts/redis-1.0.0.tgz': REDIS });
    const off = { 'Chart.yaml': PARENT, 'values.yaml': 'redis: {enabled: false}\n', 'charts/redis-1.0.0.tgz': REDIS };
    expect(imagesOf(await scanFiles(off))).toEqual([]);
    expect(imagesOf(await scanFiles(off), { maybe: true })).toEqual(['quay.io/x/redis:1']);
    expect(imagesOf(await scanFiles({ 'outer-1.0.0.tgz': outer }))).toEqual(['quay.io/x/outer:1', 'quay.io/x/redis:1']);
  });

  it('in a chart repository is in use by nobody', async () => {
    const index =
      'apiVersion: v1\nentries:\n  redis: [{urls: [redis-1.0.0.tgz], annotations: {artifacthub.io/images: "- image: quay.io/x/y:1"}}]\n';
    const found = await scanFiles({ 'docs/redis-1.0.0.tgz': REDIS, 'docs/index.yaml': index });
    expect(found.findings).toEqual([]);
    const above = await scanFiles({ 'docs/old/redis-1.0.0.tgz': REDIS, 'docs/index.yaml': index });
    expect(above.findings).toEqual([]);
  });

  it('that cannot be read is warned of where a chart needs it, and is nothing elsewhere', async () => {
    const other = packed({ 'notes/a.txt': 'image: quay.io/x/y:1' });
    const files = { 'a.tgz': new Uint8Array([1, 2]), 'b.tgz': gzipSync('no tar'), 'c.tgz': other };
    expect(await scanFiles(files)).toEqual({ findings: [], warnings: [] });
    const { warnings } = await scanFiles({ 'Chart.yaml': PARENT, 'charts/redis-1.0.0.tgz': REDIS.subarray(0, 200) });
    expect(warnings[0]).toMatchObject({ file: 'charts/redis-1.0.0.tgz' });
    expect(warnings[0]?.text).toMatch(/^the packed chart cannot be read: /);
  });

  it('may unpack to far more than fits: it is left', async () => {
    const bomb = packed({ 'redis/big': new Uint8Array(80 << 20) });
    const { warnings } = await scanFiles({ 'Chart.yaml': PARENT, 'charts/redis-1.0.0.tgz': bomb });
    expect(warnings[0]?.text).toMatch(/cannot be read: it unpacks to more than \[64\] MiB/);
  });
});
