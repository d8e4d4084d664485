import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../../test/testing/eventually.ts';
import { logOutput } from './log-output.ts';
import { logPlace, unitOf } from './log-place.ts';

function temporaryFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'images-log-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return join(directory, 'log');
}

function streamed(options: { readonly stuck?: boolean } = {}) {
  const noted: string[] = [];
  const stream = new Writable({ highWaterMark: 1, write: (_chunk, _, done) => void (options.stuck || done()) });
  const stderr = { isTTY: false, columns: 80, rows: 24, stream: stream as NodeJS.WriteStream, write: () => undefined };
  return { noted, stream, context: { stderr, note: (text: string) => void noted.push(text) } };
}

it('lines are written many at once, and urgent ones with all before them', async () => {
  const { context, noted } = streamed();
  using output = logOutput(context);
  output.write('a\n', false);
  output.write('b\u001b[31m\n', false);
  expect(noted).toEqual([]);
  output.write('c\n', true);
  expect(noted).toEqual(['a\nb\u001b[31m\nc']);
  output.write('d\n', false);
  await eventually(() => noted.at(-1) === 'd');
});

it('a reader that does not read, or has gone, costs lines and nothing else; they are counted', () => {
  const { context, noted, stream } = streamed({ stuck: true });
  using output = logOutput(context);
  stream.write(Buffer.alloc(5 << 20));
  for (let at = 0; at < 1000; at++) output.write(`${at}\n`, true);
  expect(noted).toEqual([]);
  const again = streamed();
  again.stream.destroy();
  using gone = logOutput(again.context);
  gone.write('x\n', true);
  expect(again.noted).toEqual([]);
});

it('a full disk costs lines and nothing else: what follows is written, after how many were lost', () => {
  const { context } = streamed();
  const path = temporaryFile();
  const file = openSync(path, 'a+');
  onTestFinished(() => closeSync(file));
  let isFull = true;
  using output = logOutput(context, { file, write: (...args) => (isFull ? failing() : writeSync(...args)) });
  output.write('one\n', true);
  output.write('two\n', true);
  isFull = false;
  output.write('three\n', true);
  expect(readFileSync(path, 'utf8')).toMatch(/^\S+ WARNING: 2 lines of this log were lost before this\nthree\n$/);
});

function failing(): never {
  throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
}

it('a file is kept small by whom it belongs to', () => {
  const path = temporaryFile();
  const file = openSync(path, 'a');
  onTestFinished(() => closeSync(file));
  const sizes: number[] = [];
  using output = logOutput(streamed().context, { file, makeRoom: (_file, size) => void sizes.push(size) });
  const line = `${'x'.repeat(100_000)}\n`;
  for (let at = 0; at < 7; at++) output.write(line, true);
  expect(sizes).toEqual([0, 300_003, 600_006]);
});

it('where the log is is said as the system says it', () => {
  const path = temporaryFile();
  const file = openSync(path, 'a');
  onTestFinished(() => closeSync(file));
  expect(logPlace({}, file)).toEqual({ kind: 'file', path });
  expect(logPlace({}, 1_000_000)).toEqual({ kind: 'elsewhere', what: 'elsewhere' });
  const null_ = openSync('/dev/null', 'a');
  onTestFinished(() => closeSync(null_));
  expect(logPlace({}, null_)).toEqual({ kind: 'elsewhere', what: 'a terminal or device' });
});

it.each([
  ['0::/system.slice/images.service\n', { unit: 'images.service', isUser: false }],
  [
    '0::/user.slice/user-1000.slice/user@1000.service/app.slice/images.service\n',
    { unit: 'images.service', isUser: true },
  ],
  ['0::/user.slice/user-0.slice/session-1.scope\n', undefined],
])('the unit of the control group %j', (text, unit) => {
  expect(unitOf(text)).toEqual(unit);
});
