import { describe, expect, it } from 'vitest';
import { rememberSecrets } from '../../io/text/secrets.ts';
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

  it('leave out what is only progress', () => {
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

  it('are one line each, without secrets, and drive no terminal', () => {
    rememberSecrets('hunter2hunter2');
    const error = new Error('no\n\u001b[2J hunter2hunter2');
    const [line] = linesOf([{ topic: 'hosts', event: { type: 'passed-over', host: 'h', by: 'm', error } }]);
    expect(line).toBe('[hosts] h: m is passed over: no ?[2J ***');
  });
});
