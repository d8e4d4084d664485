// Lines of a unit's log in the journal of systemd, by journalctl. Loaded only where one runs under systemd.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { ImagesError } from '../../oci/errors.ts';
import type { LinesWanted } from './log-lines.ts';
import type { LogPlace } from './registry-record.ts';

/** Errors: FILE_UNREADABLE (there is no journalctl, or it may not read that). */
export async function* journalLines(
  place: Extract<LogPlace, { kind: 'journal' }>,
  { lines, follow, isWanted, since, signal }: LinesWanted,
): AsyncGenerator<string> {
  const child = spawn('journalctl', journalArguments(place, { lines, follow, ...(since !== undefined && { since }) }), {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const failed = once(child, 'error').then(([error]: unknown[]) => error);
  failed.catch(() => undefined);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, 1000);
  });
  const end = () => void child.kill();
  signal?.addEventListener('abort', end, { once: true });
  try {
    const last: string[] = [];
    for await (const line of createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (!isWanted(line)) continue;
      if (follow) yield line;
      else if (last.push(line) > lines) last.shift();
    }
    yield* last;
    signal?.throwIfAborted();
    const status = child.exitCode ?? (await Promise.race([once(child, 'exit').then(([code]) => code), failed]));
    if (status !== 0) throw unreadable(place, said || String(status));
  } finally {
    signal?.removeEventListener('abort', end);
    child.kill();
  }
}

/** All lines if some are to be left out: which ones, only we know. */
export function journalArguments(
  { unit, isUser }: Extract<LogPlace, { kind: 'journal' }>,
  { lines, follow, since }: Pick<LinesWanted, 'lines' | 'follow' | 'since'>,
): readonly string[] {
  return [
    ...(isUser ? ['--user', `--user-unit=${unit}`] : [`--unit=${unit}`]),
    ...['--output=cat', '--no-pager', '--quiet'],
    ...(follow ? ['--follow', `--lines=${lines}`] : []),
    ...(since === undefined ? [] : [`--since=@${Math.floor(since / 1000)}`]),
  ];
}

function unreadable({ unit }: Extract<LogPlace, { kind: 'journal' }>, why: string): ImagesError {
  const [first = ''] = why.split('\n');
  return new ImagesError('FILE_UNREADABLE', `the journal of ${unit} cannot be read: ${first}`, {
    hint: 'Members of the group systemd-journal can read it.',
  });
}
