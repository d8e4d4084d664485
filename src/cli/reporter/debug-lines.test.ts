import { describe, expect, it } from 'vitest';
import { rememberSecrets } from '../../io/text/secrets.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { DebugEvent } from '../../tasks/settings.ts';
import { DEBUG_TOPICS, type DebugTopic } from '../process/debug-topics.ts';
import { debugPrinter } from './debug-lines.ts';

function linesOf(events: readonly DebugEvent[], topics: readonly DebugTopic[] = DEBUG_TOPICS): readonly string[] {
  const lines: string[] = [];
  const print = debugPrinter(new Set(topics), (line) => lines.push(line));
  for (const event of events) print(event);
  return lines.map((line) => line.replace(/^\[\d+\.\d{3} /, '['));
}

const REQUEST: DebugEvent = {
  topic: 'http',
  event: { method: 'GET', url: 'http://h/v2/', status: 200, sent: 0, received: 7, duration: 1.25 },
};
const digest = `sha256:${'a'.repeat(64)}` as const;

describe('lines of --debug', () => {
  it('are of the topics that are wanted', () => {
    expect(linesOf([REQUEST])).toEqual(['[http] GET http://h/v2/ 200 1.3ms sent=0 received=7']);
    expect(linesOf([REQUEST], ['copy'])).toEqual([]);
  });

  it('leave out mere progress', () => {
    expect(linesOf([{ topic: 'copy', event: { type: 'progress', digest, bytes: 1 } }])).toEqual([]);
  });

  it('say why: credentials, mirrors, blobs, steps', () => {
    expect(
      linesOf([
        {
          topic: 'hosts',
          event: { type: 'credentials', host: 'h', repository: 'a/b', used: 'those of [me] from /f', searched: ['/f'] },
        },
        { topic: 'hosts', event: { type: 'credentials', host: 'h', searched: ['/f', '/g'] } },
        { topic: 'hosts', event: { type: 'routes', host: 'h', repository: 'a', order: ['m', 'h'], resting: ['n'] } },
        {
          topic: 'copy',
          event: { type: 'not-fetched', image: 'a:1', what: 'blob', digest, size: 3, why: 'there' },
        },
        {
          topic: 'build',
          event: { type: 'step-done', id: 1, stage: '0', text: 'COPY a b', cached: true, why: 'remembered' },
        },
        { topic: 'build', event: { type: 'base', name: 'docker.io/library/a:1', from: 'remembered', what: digest } },
        { topic: 'scan', event: { type: 'directory', directory: '/o', why: 'changed' } },
        { topic: 'scan', event: { type: 'read', file: 'a.yaml', documents: 2, found: { containers: 3 } } },
        { topic: 'scan', event: { type: 'not-parsed', file: 'b.yaml', line: 7, size: 9000 } },
      ]),
    ).toEqual([
      '[hosts] h/a/b credentials: those of [me] from /f',
      "[hosts] h credentials: nobody's: none in /f, /g",
      '[hosts] h/a is asked for at m, h (did not answer lately: n)',
      `[copy] a:1 blob ${digest} (3 bytes) is there already`,
      '[build] [0] COPY a b is remembered, not done',
      `[build] docker.io/library/a:1 is remembered, its registry is not asked: ${digest}`,
      '[scan] /o is scanned: something in it has changed',
      '[scan] a.yaml is read, documents: 2, found: containers 3',
      '[scan] b.yaml:7 is not parsed: 9000 characters without the clue of a rule',
    ]);
  });

  it('say how requests ended, also those that were never answered', () => {
    const { event } = REQUEST;
    expect(
      linesOf([
        {
          topic: 'http',
          event: { method: 'PUT', url: event.url, sent: 5, received: 0, duration: 1, error: 'ECONNRESET' },
        },
        { topic: 'hosts', event: { type: 'answered', host: 'h', repository: 'a', by: 'm' } },
        { topic: 'hosts', event: { type: 'scheme', host: 'h', scheme: 'http' } },
        { topic: 'hosts', event: { type: 'retry', host: 'h', what: 'GET a', after: 1500, why: 'status 503' } },
        { topic: 'hosts', event: { type: 'routes', host: 'h', repository: 'a', order: ['h'], resting: [] } },
        { topic: 'hosts', event: { type: 'credentials', host: 'h', searched: [] } },
      ]),
    ).toEqual([
      '[http] PUT http://h/v2/ ECONNRESET 1.0ms sent=5 received=0',
      '[hosts] h/a comes from m',
      '[hosts] h speaks http',
      '[hosts] h again in 1.5 s: GET a: status 503',
      '[hosts] h/a is asked for at h',
      "[hosts] h credentials: nobody's",
    ]);
  });

  it('say what a copy decides', () => {
    const image = 'a:1';
    expect(
      linesOf(
        (
          [
            { type: 'not-mounted', image, digest, from: 'b' },
            { type: 'blob', digest, size: 9, from: 9 },
            { type: 'blob', digest, size: 9, from: 4 },
            { type: 'plan', images: 1, blobs: 2, bytes: 3, alreadyThere: 4 },
            { type: 'image-done', image, digest },
            { type: 'image-failed', image, error: new ImagesError('DENIED', 'no') },
            { type: 'compressing', bytes: 5 },
            { type: 'note', text: 'for people' },
          ] as const
        ).map((event) => ({ topic: 'copy', event })),
      ),
    ).toEqual([
      `[copy] a:1 blob ${digest} could not be mounted from b`,
      `[copy] blob ${digest} is held whole: it only needs a link`,
      `[copy] blob ${digest} is fetched from byte 4 of 9`,
      '[copy] plan: 1 images, 2 blobs to fetch, 3 bytes; 4 bytes are there',
      `[copy] a:1 is done: ${digest}`,
      '[copy] a:1 failed: no',
      '[copy] 5 bytes of layers are compressed for their digests',
    ]);
  });

  it('say what is scanned, built, stored and served', () => {
    const served = { method: 'GET', url: '/v2/a?n=1' };
    expect(
      linesOf([
        { topic: 'scan', event: { type: 'claimed', file: 'a.yaml', rule: 'helm' } },
        { topic: 'scan', event: { type: 'read', file: 'a.yaml', documents: 0, found: {} } },
        { topic: 'scan', event: { type: 'skipped', file: 'a.png' } },
        { topic: 'build', event: { type: 'bytes', id: 1, count: 5 } },
        {
          topic: 'store',
          event: {
            call: 'getBlob',
            repository: 'a',
            what: digest,
            outcome: 'failed',
            duration: 1,
            error: new Error('no'),
          },
        },
        { topic: 'store', event: { call: 'repositories', outcome: 'done', duration: 2 } },
        { topic: 'serve', event: { ...served, type: 'failure', error: 'broken' } },
        {
          topic: 'serve',
          event: {
            ...served,
            type: 'request',
            id: 'r-1',
            kind: 'ping',
            status: 200,
            sent: 1,
            received: 0,
            duration: 3,
            remote: '::1',
          },
        },
      ] as readonly DebugEvent[]),
    ).toEqual([
      '[scan] a.yaml is handled by the rule helm',
      '[scan] a.yaml is read, documents: 0, found: nothing',
      '[scan] a.png is not read: by its name it is no manifest',
      `[store] getBlob a ${digest}: failed 1.0ms no`,
      '[store] repositories: done 2.0ms',
      '[serve] GET /v2/a broken',
      '[serve] GET /v2/a 200 - 3.0ms sent=1 received=0 from=::1',
    ]);
  });

  it('are one line each, without secrets, and drive no terminal', () => {
    rememberSecrets('hunter2hunter2');
    const error = new Error('no\n\u001b[2J hunter2hunter2');
    const [line] = linesOf([{ topic: 'hosts', event: { type: 'passed-over', host: 'h', by: 'm', error } }]);
    expect(line).toBe('[hosts] h: m is passed over: no ?[2J ***');
  });
});
