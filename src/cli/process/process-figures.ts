// What the process tells of itself, for `/metrics`.
import { readdir } from 'node:fs/promises';
import { openFilesLimit } from '../../io/files/open-files.ts';
import type { ProcessFigures } from '../../observe/metrics/process-metrics.ts';

const STARTED_AT = new Date(Date.now() - process.uptime() * 1000);

export async function processFigures(): Promise<ProcessFigures> {
  const eventLoopLag = await lag();
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  const openFiles = await readdir('/proc/self/fd').catch(() => undefined);
  return {
    node: process.version,
    cpuUser: user / 1e6,
    cpuSystem: system / 1e6,
    residentMemory: rss,
    heapUsed,
    heapTotal,
    external,
    startedAt: STARTED_AT,
    eventLoopLag,
    eventLoopActive: performance.eventLoopUtilization().active / 1000,
    ...(openFiles && { openFiles: openFiles.length }),
    mostOpenFiles: openFilesLimit(),
  };
}

/** In seconds: how long it takes until all that is due has had its turn. */
async function lag(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const asked = performance.now();
  setImmediate(resolve);
  await promise;
  return (performance.now() - asked) / 1000;
}
