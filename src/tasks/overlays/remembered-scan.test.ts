import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { imagesOf } from '../../scan/images.ts';
import { rulesWith } from '../../scan/rules.ts';
import type { Settings } from '../settings.ts';
import { rememberedScan } from './remembered-scan.ts';

const pod = (image: string) => `apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - image: ${image}\n`;
/** Lets the clock go on by more than UNSETTLED, so that results can be cached. The files' own times stay. */
const settled = () => vi.setSystemTime(Date.now() + 1100);

let home: string;
let overlay: string;
let manifest: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'images-remembered-'));
  overlay = join(home, 'overlay');
  manifest = join(overlay, 'pod.yaml');
  await mkdir(overlay);
});
afterAll(() => rm(home, { recursive: true, force: true }));
afterEach(() => void vi.useRealTimers());
beforeEach(() => rm(join(home, 'cache'), { recursive: true, force: true }));

function settings(program = 'this build'): Settings {
  return { env: {}, home, uid: 0, temporaryDirectory: tmpdir(), cache: { directory: join(home, 'cache'), program } };
}

async function images(program?: string): Promise<readonly string[]> {
  return imagesOf(await rememberedScan(overlay, settings(program)));
}

/** Changes the cached result to a word that is in no manifest, so that a cached result can be recognised. */
async function plant(): Promise<void> {
  const [name] = await readdir(join(home, 'cache/scans'));
  const path = join(home, 'cache/scans', name ?? '');
  await writeFile(path, (await readFile(path, 'utf8')).replaceAll('busybox', 'planted'));
}

it('an overlay that has not changed is not searched again', async () => {
  await writeFile(manifest, pod('busybox:1'));
  settled();
  expect(await images()).toEqual(['busybox:1']);
  await plant();
  expect(await images()).toEqual(['planted:1']);
});

it('a changed overlay is searched again, also if size and time are the same', async () => {
  await writeFile(manifest, pod('busybox:1'));
  settled();
  await images();
  await plant();
  const { atime, mtime } = await stat(manifest);
  await writeFile(manifest, pod('busybox:2'));
  await utimes(manifest, atime, mtime);
  expect(await images()).toEqual(['busybox:2']);
});

it('an overlay with a new file is searched again', async () => {
  await writeFile(manifest, pod('busybox:1'));
  settled();
  await images();
  await plant();
  await writeFile(join(overlay, 'more.yaml'), pod('alpine:3'));
  expect(await images()).toEqual(['alpine:3', 'busybox:1']);
  await rm(join(overlay, 'more.yaml'));
});

it('another build of the program searches the overlay again', async () => {
  await writeFile(manifest, pod('busybox:1'));
  settled();
  await images();
  await plant();
  expect(await images('another build')).toEqual(['busybox:1']);
});

it('an overlay whose files may be changing right now is not remembered', async () => {
  await writeFile(manifest, pod('busybox:1'));
  expect(await images()).toEqual(['busybox:1']);
  await expect(readdir(join(home, 'cache/scans'))).rejects.toThrow();
});

it('a result that was cut short, or a cache that cannot be written, costs only time', async () => {
  await writeFile(manifest, pod('busybox:1'));
  settled();
  await images();
  const [name] = await readdir(join(home, 'cache/scans'));
  await writeFile(join(home, 'cache/scans', name ?? ''), '{"directory":');
  expect(await images()).toEqual(['busybox:1']);

  await rm(join(home, 'cache'), { recursive: true });
  await writeFile(join(home, 'cache'), 'in the way');
  expect(await images()).toEqual(['busybox:1']);
});

it('a debug event says whether the overlay is searched, and why', async () => {
  const told: string[] = [];
  const onDebug: Settings['onDebug'] = ({ topic, event }) => {
    if (topic === 'scan') told.push(event.type === 'directory' ? event.why : event.type);
  };
  const look = async (more: Partial<Settings> = {}, options = {}) => {
    told.length = 0;
    await rememberedScan(overlay, { ...settings(), onDebug, ...more }, options);
    return told.join(' ');
  };
  const { cache: _, ...uncached } = settings();
  await writeFile(manifest, pod('busybox:1'));
  expect(await look()).toMatch(/^unsettled read/);
  await settled();
  expect(await look()).toMatch(/^unknown read/);
  expect(await look()).toBe('remembered');
  expect(await look({ cache: { directory: join(home, 'cache'), program: 'another' } })).toMatch(/^changed read/);
  expect(await look({}, { rules: rulesWith() })).toMatch(/^not-asked read/);
  told.length = 0;
  await rememberedScan(overlay, { ...uncached, onDebug });
  expect(told[0]).toBe('not-asked');
});
