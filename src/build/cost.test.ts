// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are a shell's
// The cost of user input grows linearly with its length, whatever the input: measured at two sizes.
import { describe, expect, it } from 'vitest';
import { growth, LINEAR } from '../../test/testing/growth.ts';
import { isImagesError } from '../oci/errors.ts';
import { compilePatterns } from './context/patterns.ts';
import { parseDockerfile } from './dockerfile/parse.ts';
import { nameOfUrl } from './dockerfile/parse-files.ts';
import { durationOf } from './dockerfile/parse-healthcheck.ts';
import { expandWord } from './dockerfile/shell-word.ts';
import { portsOf } from './stage/ports.ts';

function parse(text: string): void {
  try {
    parseDockerfile('Dockerfile', text);
  } catch (error) {
    if (!isImagesError(error)) throw error;
  }
}

const SIZE = 30_000;
const DOCKERFILES: readonly [string, (count: number) => string][] = [
  ['blanks in a directive', (count) => `#a=${' '.repeat(count)}x${' '.repeat(count)}\u2028\nFROM scratch\n`],
  ["blanks at the end of a heredoc's name", (count) => `FROM a\nRUN <<-${' '.repeat(count)}<\n`],
  ['returns in a line', (count) => `FROM a\nRUN x${'\r'.repeat(count)}y\n`],
  ['returns in a heredoc', (count) => `FROM a\nRUN <<E\n${'\r'.repeat(count)}x\nE\n`],
  ['blanks in a line', (count) => `FROM a\nRUN x${' \t'.repeat(count)}y\n`],
  ['digits of a time', (count) => `FROM a\nHEALTHCHECK --interval=${'1'.repeat(count)} CMD x\n`],
  ['options', (count) => `FROM a\nRUN ${'--a '.repeat(count)}\n`],
  ['dashes', (count) => `FROM a\nCOPY ${'-'.repeat(count)} <<\n`],
  ['quotes', (count) => `FROM a\nENV A="${'\\"'.repeat(count)}\n`],
  ['brackets', (count) => `FROM a\nCMD ${'["'.repeat(count)}\n`],
  ['variables', (count) => `FROM a\nENV A=${'${B:-'.repeat(count)}\n`],
  ['parts of a mount', (count) => `FROM a\nRUN --mount=${'a="",'.repeat(count)} x\n`],
  ['marks of an address', (count) => `FROM a\nADD https://a/${'.git#'.repeat(count)} /\n`],
];

describe('the cost of a Dockerfile', () => {
  it.each(DOCKERFILES)('grows with the number of %s', async (_, make) => {
    expect(await growth(SIZE, make, parse)).toBeLessThan(LINEAR);
  });

  it.each<[string, (count: number) => string, (text: string) => unknown]>([
    ['a time', (count) => '0'.repeat(count), durationOf],
    ['a port', (count) => `:${':\0/'.repeat(count)}/\n`, portsOf],
    ['the name of an address', (count) => `https://a/${'/'.repeat(count)}x`, nameOfUrl],
    [
      'what a variable loses at its end',
      (count) => 'a'.repeat(count),
      (text) => expandWord('${X%*a*b}', () => text, { escapeToken: '\\' }),
    ],
    [
      'what a variable has replaced',
      (count) => 'a'.repeat(count),
      (text) => expandWord('${X//a*b/c}', () => text, { escapeToken: '\\' }),
    ],
  ])('grows with the length of %s', async (_, make, run) => {
    expect(await growth(SIZE, make, run)).toBeLessThan(LINEAR);
  });
});

describe('the cost of a pattern of paths', () => {
  it.each(['*a', '**/', '?*', '[a-z]*', 'a**'])('that is made of [%s] grows with the path', async (part) => {
    const patterns = compilePatterns([`${part.repeat(20)}b`]);
    const run = (path: string) => patterns.matches(path);
    expect(await growth(10_000, (count) => 'a'.repeat(count), run)).toBeLessThan(LINEAR);
  });
});
