import { Readable } from 'node:stream';
import { afterEach, expect, it, vi } from 'vitest';
import { testProgram } from '../testing/program.ts';
import { askForText, secretFromInput } from './secrets.ts';

afterEach(() => void vi.restoreAllMocks());

const input = (text: string) => ({ stdin: Readable.from([Buffer.from(text)]) });

it.each([
  ['secret', 'secret'],
  ['secret\n', 'secret'],
  ['secret\r\n', 'secret'],
  [' two words \n\n', ' two words \n'],
])('standard input %j is the secret %j', async (text, expected) => {
  expect(await secretFromInput(input(text), 'it')).toBe(expected);
});

it('standard input with nothing in it, or without an end, is no secret', async () => {
  await expect(secretFromInput(input('\n'), 'images it')).rejects.toMatchObject({
    code: 'USAGE',
    hint: 'For example: images it < FILE',
  });
  const endless = Readable.from(
    (function* () {
      for (;;) yield Buffer.alloc(1024);
    })(),
  );
  await expect(secretFromInput({ stdin: endless }, 'it')).rejects.toMatchObject({ code: 'USAGE' });
});

/** `typed`: what is typed at the question. */
async function asked(typed: string, { hidden = false, isTTY = true, stdinIsTTY = true } = {}) {
  const { context, drawn } = await testProgram({ isTTY });
  const stdin = Object.assign(Readable.from([Buffer.from(typed)]), { isTTY: stdinIsTTY });
  vi.spyOn(process, 'stdin', 'get').mockReturnValue(stdin as unknown as typeof process.stdin);
  return { answer: await askForText(context, 'Password: ', { hidden }), drawn: drawn() };
}

it('an answer is shown while it is typed unless it is hidden', async () => {
  const shown = await asked('anna\n');
  expect(shown).toMatchObject({ answer: 'anna', drawn: expect.stringMatching(/^Password: [\s\S]*anna/) });
  expect(await asked('secret\n', { hidden: true })).toEqual({ answer: 'secret', drawn: 'Password: \n' });
});

it('an end of input is no answer, and nobody is asked where there is no terminal', async () => {
  expect((await asked('')).answer).toBeUndefined();
  expect(await asked('a\n', { isTTY: false })).toEqual({ answer: undefined, drawn: '' });
  expect(await asked('a\n', { stdinIsTTY: false })).toEqual({ answer: undefined, drawn: '' });
});
