import { describe, expect, it } from 'vitest';
import { copyRun } from './run.ts';
import { images } from './testing/copy.ts';
import { makeBlob, makeImage, push } from './testing/images.ts';
import { memoryRegistry, sinkInto } from './testing/memory-registry.ts';
import { watchedRegistry } from './testing/watched-registry.ts';

const NAMES = Array.from({ length: 6 }, (_, at) => `many/image-${at}:1`);

async function upstream() {
  const registry = memoryRegistry();
  for (const name of NAMES) await push(registry, name, makeImage({ layers: [makeBlob(name.repeat(200))] }));
  return registry;
}

describe('a run of a copy', () => {
  it('keeps its limits over what it plans and what it executes', async () => {
    const from = watchedRegistry(await upstream());
    const run = copyRun(sinkInto(memoryRegistry()), { concurrency: { overall: 8, perHost: 2 } });
    const plan = await run.plan(images(from.registry, NAMES.slice(0, 3)), { platforms: 'all' });
    await Promise.all([run.execute(plan), run.plan(images(from.registry, NAMES.slice(3)), { platforms: 'all' })]);
    expect(from.asked.most).toBe(2);
  });

  it('ends planning and execution with its first failure, and with its caller’s signal', async () => {
    const registry = await upstream();
    const run = copyRun(sinkInto(memoryRegistry()));
    const plan = await run.plan(images(registry, NAMES), { platforms: 'all' });
    const failing = run.plan(images(registry, ['not/there:1']), { platforms: 'all' });
    await expect(failing).rejects.toMatchObject({ code: 'NAME_UNKNOWN' });
    await expect(run.execute(plan)).rejects.toMatchObject({ code: 'NAME_UNKNOWN' });
    const aborter = new AbortController();
    const other = copyRun(sinkInto(memoryRegistry()), { signal: aborter.signal });
    const planned = await other.plan(images(registry, NAMES), { platforms: 'all' });
    aborter.abort(new Error('enough'));
    await expect(other.execute(planned)).rejects.toThrow('enough');
  });

  it('goes on if the signal of its planning is aborted later', async () => {
    const registry = await upstream();
    const aborter = new AbortController();
    const run = copyRun(sinkInto(memoryRegistry()));
    const plan = await run.plan(images(registry, NAMES), { platforms: 'all', signal: aborter.signal });
    aborter.abort();
    expect((await run.execute(plan)).copied).toHaveLength(NAMES.length);
  });
});
