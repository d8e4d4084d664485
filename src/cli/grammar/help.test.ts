import { expect, it } from 'vitest';
import type { CommandSpec } from './command.ts';
import { generalHelp, helpOf, optionForm, synopsis, wrap } from './help.ts';

const COMMAND: CommandSpec = {
  name: 'lreg_du',
  group: 'Registry',
  summary: 'Show the space',
  details: ['Of all images.'],
  aliases: ['du'],
  arguments: [
    { name: 'IMAGE', help: 'A name', required: true },
    { name: 'MORE', help: 'More names', many: true },
  ],
  options: [
    { name: 'json', help: 'Print JSON' },
    { name: 'values', short: 'f', value: 'FILE', help: 'Values' },
    { name: 'a-name-that-is-too-long-for-a-column', value: 'X', help: 'Something' },
    { name: 'secret', help: 'For internal use', hidden: true },
  ],
  status: '1 if it is full',
  examples: [{ command: 'images lreg_du', help: 'All of it' }],
  load: () => Promise.reject(new Error('not run here')),
};

it('a command says how it is called, what it takes, and how it ends', () => {
  const text = helpOf(COMMAND);
  expect(text).toMatch(
    /^images lreg_du \[--option\[=value\] …\] IMAGE \[MORE…\]\n\nShow the space\.\n\nOf all images\.\n/,
  );
  expect(text).toMatch(/\n {2}--json +Print JSON\n/);
  expect(text).toMatch(/\n {2}--a-name-that-is-too-long-for-a-column=X\n {10,}Something\n/);
  expect(text).toContain('\nExit status\n  1 if it is full\n');
  expect(text).toContain('\nExamples\n  # All of it\n  images lreg_du\n');
  expect(text).toMatch(/\nAlso called du\.\n$/);
  expect(text).not.toContain('secret');
});

it('what a command lacks is left out', () => {
  const { details: _, aliases: __, status: ___, examples: ____, ...bare } = COMMAND;
  const text = helpOf({ ...bare, arguments: [], options: [] });
  expect(text).not.toMatch(/Arguments|Exit status|Examples|Also called/);
  expect(synopsis({ ...bare, arguments: [], options: [] })).toBe('lreg_du');
});

it('commands are in groups, without hidden ones', () => {
  const text = generalHelp([
    COMMAND,
    { ...COMMAND, name: 'copy', group: 'Copy' },
    { ...COMMAND, name: '__x', hidden: true },
  ]);
  expect(text).toContain('\nRegistry\n  lreg_du  Show the space\n\nCopy\n  copy     Show the space\n');
  expect(text).not.toContain('__x');
});

it.each([
  [{ name: 'json', help: '' }, '--json'],
  [{ name: 'data', value: 'DIR', help: '' }, '--data=DIR'],
  [{ name: 'debug', value: 'TOPIC', valueOptional: true, help: '' }, '--debug[=TOPIC]'],
  [{ name: 'values', short: 'f', value: 'FILE', help: '' }, '-f, --values=FILE'],
])('an option is written as users write it: %o', (option, expected) => {
  expect(optionForm(option)).toBe(expected);
});

it('text is wrapped at words, and a word that is too long stands alone', () => {
  const text = wrap(`${'word '.repeat(30)}${'x'.repeat(100)} end`, 4);
  for (const line of text.split('\n    ')) expect(line.length <= 76 || /^x+$/.test(line)).toBe(true);
  expect(text.replaceAll('\n    ', ' ')).toBe(`${'word '.repeat(30)}${'x'.repeat(100)} end`);
});
