import { expect, it } from 'vitest';
import { ImagesError } from '../../oci/errors.ts';
import type { TransferResult } from '../../tasks/transfer/transfer-result.ts';
import { testProgram } from '../testing/program.ts';
import { type ReportOptions, reportCopy } from './copy-report.ts';

const digest = `sha256:${'a'.repeat(64)}` as const;
const DONE: TransferResult = {
  dryRun: false,
  planned: ['docker.io/library/a:1'],
  copied: [{ image: 'docker.io/library/a:1', digest }] as unknown as TransferResult['copied'],
  failed: [],
  requests: 4,
  fetched: 12_300_000,
  alreadyThere: 0,
};
const FAILED: TransferResult = {
  ...DONE,
  failed: [
    {
      name: { host: 'x.io', path: 'b', tag: '1' },
      image: 'x.io/b:1',
      error: new ImagesError('UNREACHABLE', 'cannot reach x.io', { hint: 'Wait.' }),
    },
  ],
};
const PLAN: TransferResult = { ...DONE, dryRun: true, copied: [], fetched: 999, alreadyThere: 1500 };

async function reported(result: TransferResult, options: Partial<ReportOptions> = {}) {
  const { context, printed, noted } = await testProgram();
  const status = await reportCopy(result, context, { json: false, elapsed: 1234, ...options });
  return { status, printed: printed(), noted: noted() };
}

it('of a copy is a line for people', async () => {
  expect(await reported(DONE)).toEqual({
    status: 0,
    printed: '',
    noted: ['1 image cached, 12.3 MB fetched, 0 B already there, 1.2 s'],
  });
  const { noted } = await reported(DONE, { done: 'copied', loaded: ['b', 'c'], skipped: ['d'] });
  expect(noted).toEqual([
    'Skipped, it is built here: d',
    '1 image copied, 2 there before, 12.3 MB fetched, 0 B already there, 1.2 s',
  ]);
});

it('says what failed, with status 1', async () => {
  const { status, noted } = await reported(FAILED);
  expect([status, ...noted.slice(0, 2)]).toEqual([1, '1 image failed:', '  x.io/b:1: cannot reach x.io']);
});

it('of a dry run is data: what would be fetched', async () => {
  expect(await reported(PLAN)).toEqual({
    status: 0,
    printed: 'docker.io/library/a:1\n1 image, 4 requests, 999 bytes to fetch, 1500 bytes (1.5 kB) already there\n',
    noted: [],
  });
});

it('--json has the same', async () => {
  expect(JSON.parse((await reported(FAILED, { json: true, loaded: ['b'], skipped: [] })).printed)).toEqual({
    dryRun: false,
    images: [{ image: 'docker.io/library/a:1', digest }],
    loaded: ['b'],
    skipped: [],
    failed: [{ image: 'x.io/b:1', code: 'UNREACHABLE', message: 'cannot reach x.io', hint: 'Wait.' }],
    requests: 4,
    bytes: { fetched: 12_300_000, alreadyThere: 0 },
    seconds: 1.234,
  });
  expect(JSON.parse((await reported(PLAN, { json: true })).printed)).toMatchObject({
    dryRun: true,
    images: [{ image: 'docker.io/library/a:1' }],
    bytes: { toFetch: 999, alreadyThere: 1500 },
  });
});
