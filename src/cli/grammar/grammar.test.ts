import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ImagesError } from '../../oci/errors.ts';
import type { CommandSpec } from './command.ts';
import { findCommand, givenValue, parseCommandLine } from './grammar.ts';

const PRELOAD: CommandSpec = {
  name: 'lreg_preload',
  aliases: ['old_name'],
  group: 'x',
  summary: 'x',
  arguments: [{ name: 'OVL', many: true, help: 'x' }],
  options: [
    { name: 'keep-going', help: 'x' },
    { name: 'pause', value: 'REF', help: 'x' },
    { name: 'listen', value: 'ADDR', many: true, help: 'x' },
  ],
  load: () => Promise.reject(new Error('not run here')),
};
const ONE: CommandSpec = { ...PRELOAD, name: 'lreg_rm', arguments: [{ name: 'IMAGE', required: true, help: 'x' }] };

function parse(...argv: readonly string[]) {
  return parseCommandLine(PRELOAD, argv);
}

function refusal(work: () => unknown): { message: string; hint: string | undefined } {
  try {
    work();
  } catch (error) {
    if (error instanceof ImagesError && error.code === 'USAGE') return { message: error.message, hint: error.hint };
    throw error;
  }
  throw new Error('not refused');
}

describe('commands', () => {
  it('are found with - and _ alike, and by their other names', () => {
    for (const name of ['lreg_preload', 'lreg-preload', 'old-name']) {
      expect(findCommand(name, [PRELOAD]).name).toBe('lreg_preload');
    }
  });

  it('that are unknown are refused with the nearest one', () => {
    expect(refusal(() => findCommand('lreg_preloda', [PRELOAD]))).toEqual({
      message: 'unknown command [lreg_preloda]',
      hint: 'Did you mean `images lreg_preload`?',
    });
    expect(refusal(() => findCommand('make_coffee', [PRELOAD])).hint).toContain('images help');
  });
});

describe('whether an option was given', () => {
  it('is also known for a line that is wrong elsewhere, or has no command', () => {
    expect(givenValue('json', PRELOAD, ['--nonsense', 'a', '--json'])).toBe(true);
    expect(givenValue('json', undefined, ['--json=yes'])).toBe(true);
    expect(givenValue('keep-going', PRELOAD, ['--keep_going'])).toBe(true);
    expect(givenValue('pause', PRELOAD, ['--pause', 'x'])).toBe('x');
  });

  it('is denied for a value, for what follows --, and for an option that is negated', () => {
    expect(givenValue('json', PRELOAD, ['--pause', '--json'])).toBeUndefined();
    expect(givenValue('json', PRELOAD, ['--', '--json'])).toBeUndefined();
    expect(givenValue('keep-going', PRELOAD, ['--keep-going', '--keep-going=no'])).toBeUndefined();
    expect(givenValue('json', PRELOAD, ['json', '--jsonx'])).toBeUndefined();
  });
});

describe('an option of one letter', () => {
  const login: CommandSpec = { ...ONE, options: [{ name: 'username', short: 'u', value: 'NAME', help: 'x' }] };

  it('takes its value as docker and podman take it', () => {
    for (const words of [['-u', 'me'], ['-ume'], ['-u=me'], ['--username=me'], ['--username', 'me']])
      expect(parseCommandLine(login, [...words, 'r.io']).options.text('username'), words.join(' ')).toBe('me');
    expect(parseCommandLine(login, ['--username==me', 'r.io']).options.text('username')).toBe('=me');
    expect(parseCommandLine(login, ['r.io', '-u', 'me']).args).toEqual(['r.io']);
  });

  it('is refused without one', () => {
    for (const words of [['-u'], ['-u=']])
      expect(refusal(() => parseCommandLine(login, ['r.io', ...words])).message).toBe(
        '--username needs a value [NAME]',
      );
  });
});

describe('an option whose value can be left out', () => {
  it('is a switch without one, and never takes the next word', () => {
    const { args, options } = parse('--debug', 'a');
    expect(args).toEqual(['a']);
    expect(options.flag('debug')).toBe(true);
    expect(parse('--debug=http,copy').options.text('debug')).toBe('http,copy');
    expect(parse('--debug=http', '--debug=no').options.text('debug')).toBeUndefined();
    expect(refusal(() => parse('--debug=')).message).toContain('--debug needs a value');
  });

  it('is known before the line is parsed', () => {
    expect(givenValue('debug', PRELOAD, ['--nonsense', '--debug=http'])).toBe('http');
    expect(givenValue('debug', PRELOAD, ['--debug', 'http'])).toBe(true);
    expect(givenValue('debug', undefined, ['--debug=no'])).toBeUndefined();
  });
});

describe('options', () => {
  it('leave what follows -- as it is', () => {
    expect(parse('--keep_going', '--', '--some_name').args).toEqual(['--some_name']);
  });

  it('stand anywhere', () => {
    const { args, options } = parse('a', '--keep-going', 'b', '--pause=p:1', 'c');
    expect(args).toEqual(['a', 'b', 'c']);
    expect(options.flag('keep-going')).toBe(true);
    expect(options.text('pause')).toBe('p:1');
  });

  it('take their value after = or a space, with = in it', () => {
    expect(parse('--pause', 'p:1', 'a').options.text('pause')).toBe('p:1');
    expect(parse('--pause=a=b').options.text('pause')).toBe('a=b');
  });

  it('are written with - or _', () => {
    expect(parse('--keep_going').options.flag('keep-going')).toBe(true);
  });

  it('that are switches take yes and no, as scripts for images.sh write them', () => {
    expect(parse('--keep-going=yes').options.flag('keep-going')).toBe(true);
    expect(parse('--keep-going', '--keep-going=no').options.flag('keep-going')).toBe(false);
    expect(refusal(() => parse('--keep-going=maybe')).message).toBe('--keep-going takes no value [maybe]');
  });

  it('that are given twice are the last, or all where several are taken', () => {
    expect(parse('--pause=a', '--pause=b').options.text('pause')).toBe('b');
    expect(parse('--listen=a', '--listen=b').options.texts('listen')).toEqual(['a', 'b']);
  });

  it('that are unknown are refused with the nearest one', () => {
    expect(refusal(() => parse('--keep-goin'))).toEqual({
      message: 'unknown option of lreg_preload [--keep-goin]',
      hint: 'Did you mean `--keep-going`?',
    });
    expect(refusal(() => parse('-x')).message).toBe('unknown option of lreg_preload [-x]');
  });

  it('that need a value are refused without one', () => {
    expect(refusal(() => parse('--pause')).message).toBe('--pause needs a value [REF]');
    expect(refusal(() => parse('--pause=')).message).toBe('--pause needs a value [REF]');
  });

  it('end at --', () => {
    expect(parse('--', '--keep-going').args).toEqual(['--keep-going']);
  });

  it('do not include -, which is an argument', () => {
    expect(parse('-').args).toEqual(['-']);
  });

  it('that ask for help win over missing arguments', () => {
    expect(parseCommandLine(ONE, ['--help']).options.flag('help')).toBe(true);
    expect(parseCommandLine(ONE, ['-h']).options.flag('help')).toBe(true);
  });

  it('that a command reads without declaring them are a bug', () => {
    expect(() => parse().options.flag('colour')).toThrow('not declared');
  });
});

describe('arguments', () => {
  it('that are missing are named', () => {
    expect(refusal(() => parseCommandLine(ONE, [])).message).toBe('lreg_rm needs an argument [IMAGE]');
  });

  it('that are too many are refused', () => {
    expect(refusal(() => parseCommandLine(ONE, ['a', 'b'])).message).toBe('lreg_rm takes one argument [b]');
  });

  it('come out as they went in, wherever switches stand', () => {
    const word = fc.stringMatching(/^[a-z0-9./:@-]*[a-z0-9]$/).filter((text) => !text.startsWith('-'));
    fc.assert(
      fc.property(fc.array(word), fc.nat(), (words, at) => {
        const argv = words.toSpliced(at % (words.length + 1), 0, '--keep-going');
        const { args, options } = parse(...argv);
        expect(args).toEqual(words);
        expect(options.flag('keep-going')).toBe(true);
      }),
    );
  });
});
