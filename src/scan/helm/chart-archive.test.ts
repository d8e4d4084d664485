import { randomBytes } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { imagesOf } from '../images.ts';
import { SCAN_RULES } from '../rules.ts';
import type { ScanOptions } from '../scan.ts';
import { packedChart } from '../testing/packed-chart.ts';
import { scanFiles } from '../testing/scan-files.ts';
import { CHART_LIMITS, type ChartLimits } from './chart-budget.ts';
import { helmCharts } from './helm.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

const chart = (name: string, image = '{{ .Values.image }}'): Files => ({
  [`${name}/Chart.yaml`]: `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n`,
  [`${name}/values.yaml`]: `image: quay.io/x/${name}:1\n`,
  [`${name}/templates/pod.yaml`]: `apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: ${image}\n`,
});
function entryHeader(name: string, size: number, type: string): Uint8Array {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write(`        ${type}`, 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** The archive of these files and a file of zeros, in some gzip members that were compressed once. */
function bombOf(size: number, files: Files = {}): Uint8Array {
  const zeros = gzipSync(Buffer.alloc(1 << 20));
  const header = entryHeader('redis/big', size, '0');
  // tar ends with two empty blocks.
  const before = Object.keys(files).length > 0 ? gunzipSync(packedChart(files)).subarray(0, -1024) : Buffer.alloc(0);
  const end = Buffer.alloc(1024);
  return Buffer.concat([gzipSync(Buffer.concat([before, header])), ...Array(size >> 20).fill(zeros), gzipSync(end)]);
}

/** To scan with other limits. */
function limitedTo(limits: Partial<ChartLimits>): ScanOptions {
  const { documents } = SCAN_RULES;
  return { rules: { documents, trees: [helmCharts(documents, { ...CHART_LIMITS, ...limits })] } };
}

const REDIS = packedChart(chart('redis'));
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
    expect(found.findings[0]?.position).toMatchObject({
      file: 'charts/redis-1.0.0.tgz!redis/templates/pod.yaml',
      line: 5,
    });
    expect(found.warnings).toEqual([]);
  });

  it('that is switched off has uncertain images, and may hold other charts', async () => {
    const outer = packedChart({ ...chart('outer'), 'outer/charts/redis-1.0.0.tgz': REDIS });
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

  it('that cannot be read causes a warning if a chart needs it, and is ignored elsewhere', async () => {
    const other = packedChart({ 'notes/a.txt': 'image: quay.io/x/y:1' });
    const files = { 'a.tgz': new Uint8Array([1, 2]), 'b.tgz': gzipSync('no tar'), 'c.tgz': other };
    expect(await scanFiles(files)).toEqual({ findings: [], warnings: [] });
    const { warnings } = await scanFiles({ 'Chart.yaml': PARENT, 'charts/redis-1.0.0.tgz': REDIS.subarray(0, 200) });
    expect(warnings[0]).toMatchObject({ file: 'charts/redis-1.0.0.tgz' });
    expect(warnings[0]?.text).toMatch(/^the packed chart cannot be read: /);
  });

  it('that breaks off or is damaged causes a warning if it is known to be a chart', async () => {
    const whole = packedChart({ ...chart('redis'), 'redis/noise': randomBytes(200_000) });
    const damaged = Uint8Array.from(whole);
    damaged.fill(0, 100_000, 100_100);
    const tar = gunzipSync(whole);
    const longName = gzipSync(
      Buffer.concat([tar.subarray(0, tar.indexOf('redis/noise')), entryHeader('././@LongLink', 1 << 30, 'L')]),
    );
    const { findings, warnings } = await scanFiles({
      'a.tgz': whole.subarray(0, 150_000),
      'b.tgz': damaged,
      'c.tgz': longName,
    });
    expect(findings).toEqual([]);
    expect(warnings.map(({ file }) => file)).toEqual(['a.tgz', 'b.tgz', 'c.tgz']);
    for (const { text } of warnings) expect(text).toMatch(/^the packed chart cannot be read: /);
  });

  it('that unpacks to far more than the limit is skipped', async () => {
    expect(CHART_LIMITS.unpacked).toBe(64 << 20);
    const little = limitedTo({ unpacked: 2 << 20 });
    const bomb = bombOf(3 << 20);
    const { warnings } = await scanFiles({ 'Chart.yaml': PARENT, 'charts/redis-1.0.0.tgz': bomb }, little);
    expect(warnings[0]?.text).toMatch(/cannot be read: it unpacks to more than \[2\] MiB/);
    const chartBomb = bombOf(3 << 20, chart('redis'));
    const alone = await scanFiles({ 'a.tgz': bomb, 'b.tgz': chartBomb }, little);
    expect(alone.warnings).toEqual([
      { file: 'b.tgz', text: 'the packed chart cannot be read: it unpacks to more than [2] MiB' },
    ]);
    const below = await scanFiles({ 'b.tgz': bombOf(1 << 20, chart('redis')) }, little);
    expect(below.warnings).toEqual([]);
  });

  it('is unpacked once, however many archives have a copy of it', async () => {
    let inner = packedChart(chart('c0'));
    for (let level = 1; level <= 4; level++) {
      const copies = Array.from({ length: 4 }, (_, i) => [`c${level}/charts/x${i}-1.0.0.tgz`, inner] as const);
      const aliases = Array.from({ length: 4 }, (_, i) => `{name: c${level - 1}, alias: a${i}}`).join(', ');
      inner = packedChart({
        ...chart(`c${level}`),
        [`c${level}/Chart.yaml`]: `apiVersion: v2\nname: c${level}\nversion: 1.0.0\ndependencies: [${aliases}]\n`,
        ...Object.fromEntries(copies),
      });
    }
    const { findings, warnings } = await scanFiles({ 'top-1.0.0.tgz': inner });
    expect(warnings).toEqual([]);
    expect(imagesOf({ findings, warnings })).toHaveLength(5);
  });

  it('that exceeds the limit of all charts together is skipped with one warning; smaller ones are still read', async () => {
    const level = (at: number): readonly (readonly [string, string])[] => {
      const aliases = Array.from(
        { length: 9 },
        (_, i) => `{name: c${at + 1}, alias: a${i}, repository: "file://../c${at + 1}"}`,
      );
      const file = `apiVersion: v2\nname: c${at}\nversion: 1.0.0\ndependencies: [${at < 7 ? aliases.join(', ') : ''}]\n`;
      return [...Object.entries(chart(`c${at}`)), [`c${at}/Chart.yaml`, file]] as readonly (readonly [
        string,
        string,
      ])[];
    };
    const many = Object.fromEntries([0, 1, 2, 3, 4, 5, 6, 7].flatMap(level));
    // A five-hundredth of the real limits: what is counted is the same.
    const { work, chart: ofOne, below } = CHART_LIMITS;
    const little = limitedTo({ work: work / 500, chart: ofOne / 500, below: below / 500 });
    const { findings, warnings } = await scanFiles(many, little);
    const costly = warnings.filter(({ text }) => text.includes('too much work'));
    expect(costly.map(({ file }) => file)).toContain('c0/Chart.yaml');
    expect(imagesOf({ findings, warnings })).toContain('quay.io/x/c7:1');
  });
});
