import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../test/testing/eventually.ts';
import { type ErrorCode, ImagesError } from '../oci/errors.ts';
import { parseReference } from '../oci/reference.ts';
import type { Registry } from '../registry/contract.ts';
import type { CopyEvent } from './events.ts';
import { executePlan } from './execute.ts';
import { planCopy } from './plan.ts';
import { type Ahead, sendAhead } from './send-ahead.ts';
import { images } from './testing/copy.ts';
import { bytesOf, type MadeBlob, makeBlob, makeImage, push } from './testing/images.ts';
import { memoryRegistry, sinkInto } from './testing/memory-registry.ts';
import { type Faults, watchedRegistry } from './testing/watched-registry.ts';

const base = makeBlob('base '.repeat(1000));
const top = makeBlob('top '.repeat(1000));
const image = makeImage({ layers: [base, top] });
const [config] = image.blobs as [MadeBlob];
const NAME = parseReference('one:1');
const size = (...blobs: readonly MadeBlob[]) => blobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0);

async function upstream(): Promise<Registry> {
  const registry = memoryRegistry();
  await push(registry, 'one:1', image);
  return registry;
}

/** Sends these layers ahead, then the image. */
async function copying(layers: readonly MadeBlob[], { registry = memoryRegistry(), faults = {} as Faults } = {}) {
  const to = watchedRegistry(registry, faults);
  const events: CopyEvent[] = [];
  await using ahead = sendAhead(sinkInto(to.registry), { name: NAME }, { onEvent: (event) => events.push(event) });
  const opened = sendAll(ahead, layers);
  const shared = { onEvent: ahead.onEvent, platforms: 'all' } as const;
  const plan = await planCopy(images(await upstream(), ['one:1']), ahead.sink, shared);
  const result = await executePlan(plan, ahead.sink, shared);
  return { asked: to.asked, events, opened, plan, result, sent: ahead.sent, registry };
}

function sendAll(ahead: Ahead, layers: readonly MadeBlob[]): string[] {
  const opened: string[] = [];
  for (const { descriptor, bytes } of layers) {
    ahead.send(descriptor, async () => {
      opened.push(descriptor.digest);
      return bytesOf(bytes);
    });
  }
  return opened;
}

describe('sending ahead of the plan', () => {
  it('sends each layer once; the plan and its execution see to the rest', async () => {
    const { opened, result, sent, registry } = await copying([base, top]);
    expect(opened.toSorted()).toEqual([base.descriptor.digest, top.descriptor.digest].toSorted());
    expect(sent).toEqual({ blobs: 2, bytes: size(base, top) });
    expect(result.copied).toHaveLength(1);
    expect(result.fetched + sent.bytes).toBe(size(config, base, top));
    expect((await registry.getManifest('one', '1')).digest).toBe(image.manifest.digest);
  });

  it('waits for what is under way when it is asked for, and does not send it again', async () => {
    const before = async (method: string, what: string) => {
      if (method === 'putBlob' && what.includes(top.descriptor.digest)) await sleep(50);
    };
    const { asked, result, sent } = await copying([top], { faults: { before } });
    const puts = asked.calls.filter((call) => call.startsWith('putBlob'));
    expect(puts.filter((call) => call.includes(top.descriptor.digest))).toHaveLength(1);
    expect(result.fetched + sent.bytes).toBe(size(config, base, top));
    expect(result.alreadyThere - sent.bytes).toBe(0);
  });

  it('counts what it sent as bytes of this run, in every plan that is told', async () => {
    const { events } = await copying([base, top]);
    const plans = events.filter((event) => event.type === 'plan');
    expect(plans.length).toBeGreaterThan(0);
    for (const { bytes, alreadyThere } of plans)
      expect({ bytes, alreadyThere }).toEqual({ bytes: size(config, base, top), alreadyThere: 0 });
  });

  it('opens no layer that is there already', async () => {
    const { opened, result, sent } = await copying([base, top], { registry: await upstream() });
    expect(opened).toEqual([]);
    expect(sent).toEqual({ blobs: 0, bytes: 0 });
    expect(result).toMatchObject({ fetched: 0, alreadyThere: size(config, base, top) });
  });

  it('sends nothing more once the plan is made: that knows what is left', async () => {
    const to = watchedRegistry(memoryRegistry());
    await using ahead = sendAhead(sinkInto(to.registry), { name: NAME }, {});
    await ahead.sink.missing(NAME, [base.descriptor, top.descriptor]);
    const opened: string[] = [];
    await ahead.sink.putBlob(NAME, base.descriptor, async () => {
      opened.push(...sendAll(ahead, [base, top]));
      return bytesOf(base.bytes);
    });
    expect(opened).toEqual([]);
    expect(ahead.sent).toEqual({ blobs: 0, bytes: 0 });
    expect(to.asked.count('putBlob')).toBe(1);
  });

  it('leaves a failed layer to the plan, and sends no more then', async () => {
    let failures = 1;
    const before = (method: string) => {
      if (method === 'putBlob' && failures-- > 0) throw new ImagesError('BROKEN_OFF', 'the other side hung up');
    };
    const to = watchedRegistry(memoryRegistry(), { before });
    await using ahead = sendAhead(sinkInto(to.registry), { name: NAME }, {});
    const opened = sendAll(ahead, [base]);
    await ahead.sink.putBlob(NAME, base.descriptor, async () => bytesOf(base.bytes));
    expect(await to.registry.statBlob('one', base.descriptor.digest)).toMatchObject({ size: size(base) });
    opened.push(...sendAll(ahead, [top]));
    await sleep(10);
    expect(opened).toEqual([]);
    expect(ahead.sent.blobs).toBe(0);
  });

  it('sends no more of what waits for its turn once one has failed', async () => {
    const before = async (method: string) => {
      if (method !== 'putBlob') return;
      await sleep(5);
      throw new ImagesError('BROKEN_OFF', 'the other side hung up');
    };
    const to = watchedRegistry(memoryRegistry(), { before });
    await using ahead = sendAhead(sinkInto(to.registry), { name: NAME }, {});
    sendAll(
      ahead,
      Array.from({ length: 10 }, (_, at) => makeBlob(`layer ${at}`)),
    );
    await eventually(() => to.asked.count('putBlob') > 0);
    await sleep(50);
    // The blobs that were under way at the same time.
    expect(to.asked.count('putBlob')).toBe(3);
  });

  it('ends the plan where the destination does not answer, before there is anything to send', async () => {
    const before = (method: string) => {
      if (method === 'statBlob') throw new ImagesError('TIMEOUT', 'nobody is there');
    };
    await using ahead = sendAhead(sinkInto(watchedRegistry(memoryRegistry(), { before }).registry), { name: NAME }, {});
    ahead.ask();
    await eventually(() => ahead.signal.aborted);
    expect(ahead.signal.reason).toMatchObject({ code: 'TIMEOUT', message: expect.stringContaining('nobody is') });
  });

  it('does not keep a caller that has given up waiting for what is under way', async () => {
    const before = (method: string) => (method === 'putBlob' ? sleep(60_000, undefined, { ref: false }) : undefined);
    const to = watchedRegistry(memoryRegistry(), { before });
    const ahead = sendAhead(sinkInto(to.registry), { name: NAME }, {});
    sendAll(ahead, [base]);
    const user = new AbortController();
    setTimeout(() => user.abort(new Error('enough')), 10);
    const putting = ahead.sink.putBlob(NAME, base.descriptor, async () => bytesOf(base.bytes), { signal: user.signal });
    await expect(putting).rejects.toThrow('enough');
  });

  it('ends the plan on a permanent error of the destination, not on one that may pass', async () => {
    const ended = async (code: ErrorCode) => {
      const before = (method: string) => {
        if (method === 'putBlob') throw new ImagesError(code, 'no');
      };
      const to = watchedRegistry(memoryRegistry(), { before });
      await using ahead = sendAhead(sinkInto(to.registry), { name: NAME }, {});
      sendAll(ahead, [base]);
      await eventually(() => to.asked.count('putBlob') > 0);
      const planning = planCopy(images(await upstream(), ['one:1']), ahead.sink, {
        platforms: 'all',
        signal: ahead.signal,
      });
      return await planning.then(() => undefined).catch((error: unknown) => error);
    };
    expect(await ended('DENIED')).toMatchObject({
      code: 'DENIED',
      message: expect.stringMatching(/^one:1: destination .* fails at blob sha256:\w+: no$/),
    });
    expect(await ended('BROKEN_OFF')).toBeUndefined();
  });

  it('ends what is under way when it is disposed of', async () => {
    const ended: unknown[] = [];
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const registry: Registry = {
      ...memoryRegistry(),
      putBlob: (_repository, blob, _open, options) =>
        new Promise((_done, fail) => {
          begin();
          options?.signal?.addEventListener('abort', () => {
            ended.push(blob.digest);
            fail(options.signal?.reason);
          });
        }),
    };
    const ahead = sendAhead(sinkInto(registry), { name: NAME }, {});
    sendAll(ahead, [base]);
    await begun;
    await ahead[Symbol.asyncDispose]();
    expect(ended).toEqual([base.descriptor.digest]);
  });
});
