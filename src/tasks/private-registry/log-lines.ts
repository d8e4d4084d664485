// Lines of a file that grows: the last ones that are wanted, and then those that come, also when the file begins anew (registry-log.ts) or is another one.
import { type FileHandle, open, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isFsError, translatingFsErrors } from '../../io/files/fs-errors.ts';
import type { CallOptions } from '../../io/streams/bytes.ts';

export interface LinesWanted extends CallOptions {
  /** The last so many. */
  readonly lines: number;
  readonly follow: boolean;
  readonly isWanted: (line: string) => boolean;
  /** In milliseconds since 1970: nothing before it is wanted. */
  readonly since?: number;
}

/** In bytes. */
const BLOCK = 64 * 1024;
/** Of what is looked at from the end backwards. */
const MOST_LOOKED_AT = 64 * 1024 * 1024;
const POLL_MS = 200;

/** Of the file, and of `PATH.1` before it. Errors: NO_ACCESS, ENOENT. */
export async function* fileLines(path: string, wanted: LinesWanted): AsyncGenerator<string> {
  const { size } = await translatingFsErrors(path, () => stat(path));
  const last = await lastLines(path, size, wanted);
  const before =
    last.length < wanted.lines ? await olderLines(path, { ...wanted, lines: wanted.lines - last.length }) : [];
  yield* before;
  yield* last;
  if (wanted.follow) yield* growingLines(path, size, wanted);
}

async function olderLines(path: string, wanted: LinesWanted): Promise<readonly string[]> {
  const older = `${path}.1`;
  const info = await infoOf(older);
  return info ? await lastLines(older, info.size, wanted) : [];
}

/** In the order of the file. */
async function lastLines(
  path: string,
  size: number,
  { lines, isWanted, signal }: LinesWanted,
): Promise<readonly string[]> {
  const found: string[] = [];
  await using file = await translatingFsErrors(path, () => open(path));
  let rest: Buffer = Buffer.alloc(0);
  let end = size;
  const take = (line: Buffer) => {
    const text = line.toString();
    if (text !== '' && isWanted(text)) found.push(text);
  };
  while (end > 0 && found.length < lines && size - end < MOST_LOOKED_AT) {
    signal?.throwIfAborted();
    const from = Math.max(0, end - BLOCK);
    let block: Buffer = Buffer.concat([await bytesAt(file, from, end - from), rest]);
    for (let at = block.lastIndexOf(10); at >= 0 && found.length < lines; at = block.lastIndexOf(10)) {
      take(block.subarray(at + 1));
      block = block.subarray(0, at);
    }
    // No line of ours is as long.
    rest = block.length > BLOCK ? block.subarray(block.length - BLOCK) : block;
    end = from;
  }
  if (end === 0 && found.length < lines) take(rest);
  return found.slice(0, lines).toReversed();
}

async function bytesAt(file: FileHandle, from: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from);
  return buffer.subarray(0, bytesRead);
}

/** What is written behind this offset, until the signal. */
async function* growingLines(path: string, offset: number, { isWanted, signal }: LinesWanted): AsyncGenerator<string> {
  let at = offset;
  let rest = '';
  let current = await infoOf(path);
  let older = await infoOf(`${path}.1`);
  const decoder = new TextDecoder();
  async function* from(name: string, end: number): AsyncGenerator<string> {
    await using file = await open(name);
    while (at < end) {
      const bytes = await bytesAt(file, at, Math.min(BLOCK, end - at));
      if (bytes.length === 0) break;
      at += bytes.length;
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
      rest = (lines.pop() ?? '').slice(-BLOCK);
      for (const line of lines) if (line !== '' && isWanted(line)) yield line;
    }
  }
  for (;;) {
    signal?.throwIfAborted();
    const [now, before] = [await infoOf(path), await infoOf(`${path}.1`)];
    const isAnew = now !== undefined && current !== undefined && (now.ino !== current.ino || now.size < at);
    const isKept = before !== undefined && before.ino !== older?.ino;
    if (isAnew || isKept) {
      // What was written last before it began anew.
      if (isKept && before.size > at) yield* from(`${path}.1`, before.size);
      at = 0;
    }
    if (now && now.size > at) yield* from(path, now.size);
    current = now ?? current;
    older = before;
    await delay(POLL_MS, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
  }
}

async function infoOf(path: string): Promise<{ readonly size: number; readonly ino: number } | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isFsError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
