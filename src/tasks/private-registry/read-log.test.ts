import { appendFile, copyFile, mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../../test/testing/eventually.ts';
import type { Settings } from '../settings.ts';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { journalArguments } from './journal-lines.ts';
import { parsedLine, type ReadLogRequest, readRegistryLog } from './read-log.ts';
import { serveRegistry } from './serve-registry.ts';

async function world() {
  const made = await temporaryWorld();
  onTestFinished(() => made[Symbol.asyncDispose]());
  const data = join(made.path, 'data');
  const settings: Settings = made.settings({}, { data });
  await mkdir(join(data, 'images'), { recursive: true });
  const path = join(data, 'images/registry.log');
  const read = async (request: ReadLogRequest = {}) => {
    const lines: string[] = [];
    for await (const { line } of readRegistryLog(request, settings)) lines.push(line);
    return lines;
  };
  return { settings, path, read, data };
}

const line = (at: number, text = `line ${at}`) => `2026-11-30T23:00:${String(at).padStart(2, '0')}.000Z ${text}`;

describe('the log of a registry', () => {
  it('is read from its end, and from the one before it', async () => {
    const { path, read } = await world();
    await writeFile(`${path}.1`, `${line(1)}\n${line(2)}\n`);
    await writeFile(path, `${line(3)}\n${line(4)}\n`);
    expect(await read()).toEqual([line(1), line(2), line(3), line(4)]);
    expect(await read({ lines: 3 })).toEqual([line(2), line(3), line(4)]);
    expect(await read({ lines: 1 })).toEqual([line(4)]);
  });

  it('can be long: only its end is read', async () => {
    const { path, read } = await world();
    const all = Array.from({ length: 20_000 }, (_, at) => `2026-11-30T23:00:00.000Z ${at} ${'ü'.repeat(at % 50)}`);
    await writeFile(path, `${all.join('\n')}\n`);
    expect(await read({ lines: 5000 })).toEqual(all.slice(-5000));
  });

  it('is shown by level and by age', async () => {
    const { path, read } = await world();
    const now = new Date().toISOString();
    const json = JSON.stringify({ time: now, level: 'warn', event: 'notice', message: 'm' });
    const all = [line(1, 'ERROR: old'), `${now} WARNING: new`, `${now} said`, json, 'a crash'];
    await writeFile(path, `${all.join('\n')}\n`);
    expect(await read({ level: 'warn' })).toEqual([all[0], all[1], all[3], all[4]]);
    expect(await read({ sinceMs: 3600_000, level: 'warn' })).toEqual([all[1], all[3], all[4]]);
  });

  it('is followed across its new beginning, and the signal ends that', async () => {
    const { path, settings } = await world();
    await writeFile(path, `${line(1)}\n`);
    const ending = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      const call = { ...settings, signal: ending.signal };
      for await (const { message } of readRegistryLog({ follow: true }, call)) seen.push(message);
    })();
    await eventually(() => seen.length === 1);
    await appendFile(path, `${line(2)}\n${line(3).slice(0, 10)}`);
    await eventually(() => seen.length === 2);
    await appendFile(path, `${line(3).slice(10)}\n`);
    await eventually(() => seen.length === 3);
    // As registry-log.ts does it.
    await appendFile(path, `${line(4)}\n`);
    await copyFile(path, `${path}.1`);
    await truncate(path);
    await appendFile(path, `${line(5)}\n`);
    await eventually(() => seen.length === 5);
    expect(seen).toEqual(['line 1', 'line 2', 'line 3', 'line 4', 'line 5']);
    ending.abort(new Error('enough'));
    await expect(following).rejects.toThrow('enough');
  });

  it('is where the registry says that it is', async () => {
    const { settings, read, data } = await world();
    await expect(read()).rejects.toMatchObject({ code: 'NO_REGISTRY' });
    const path = join(data, 'elsewhere.log');
    await writeFile(path, `${line(1)}\n`);
    const request = { listen: ['127.0.0.1:0'], version: '1' };
    const served = await serveRegistry({ ...request, logPlace: { kind: 'file', path } }, settings);
    expect(await read()).toEqual([line(1)]);
    await served[Symbol.asyncDispose]();
    const other = await serveRegistry({ ...request, logPlace: { kind: 'elsewhere', what: 'a pipe' } }, settings);
    await expect(read()).rejects.toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining('a pipe') });
    await other[Symbol.asyncDispose]();
  });
});

it('a line of either form has its time, level and message', () => {
  expect(parsedLine(line(1, 'ERROR: x'))).toMatchObject({ level: 'error', message: 'x' });
  expect(parsedLine('{"time":"2026-11-30T23:00:00Z","level":"warn","message":"m"}')).toMatchObject({
    ...{ level: 'warn', message: 'm', time: '2026-11-30T23:00:00Z' },
  });
  expect(parsedLine('{ broken')).toEqual({ line: '{ broken', level: 'error', message: '{ broken' });
});

it('journalctl is asked for the unit, of the user or of the system', () => {
  const place = { kind: 'journal', unit: 'images.service', isUser: true } as const;
  expect(journalArguments(place, { lines: 5, follow: true })).toEqual([
    ...['--user', '--user-unit=images.service', '--output=cat', '--no-pager', '--quiet', '--follow', '--lines=5'],
  ]);
  expect(journalArguments({ ...place, isUser: false }, { lines: 5, follow: false, since: 1000 })).toEqual([
    ...['--unit=images.service', '--output=cat', '--no-pager', '--quiet', '--since=@1'],
  ]);
});
