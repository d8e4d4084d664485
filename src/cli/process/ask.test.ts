import { Readable } from 'node:stream';
import { afterEach, expect, it, vi } from 'vitest';
import { testProgram } from '../testing/program.ts';
import { askOnTerminal } from './ask.ts';

afterEach(() => void vi.restoreAllMocks());

/** `lines`: what is typed. */
async function asked(lines: string, { isTTY = true, stdinIsTTY = true } = {}) {
  const { context, drawn } = await testProgram({ isTTY });
  const stdin = Object.assign(Readable.from([Buffer.from(lines)]), { isTTY: stdinIsTTY });
  vi.spyOn(process, 'stdin', 'get').mockReturnValue(stdin as unknown as typeof process.stdin);
  return [await askOnTerminal(context, 'Really?'), drawn()];
}

it.each([
  ['y\n', true],
  ['YES\n', true],
  [' y \nn\n', true],
  ['n\n', false],
  ['\n', false],
  ['yesterday\n', false],
  ['', false],
])('the answer %j is %s', async (lines, expected) => {
  expect(await asked(lines)).toEqual([expected, 'Really? [y/N] ']);
});

it('nobody is asked where there is no terminal', async () => {
  expect(await asked('y\n', { isTTY: false })).toEqual([undefined, '']);
  expect(await asked('y\n', { stdinIsTTY: false })).toEqual([undefined, '']);
});
