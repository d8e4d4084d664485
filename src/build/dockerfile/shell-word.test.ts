// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are a shell's
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expandWord, shellWords } from './shell-word.ts';

const VALUES: Readonly<Record<string, string>> = {
  A: 'one',
  B: 'two words',
  EMPTY: '',
  PATH: '/usr/bin:/bin',
  FILE: 'a.tar.gz',
  STARS: 'a*b*c',
};
const lookup = (name: string) => VALUES[name];
const expanded = (word: string, escapeToken = '\\') => expandWord(word, lookup, { escapeToken });

describe('variables', () => {
  it.each([
    ['$A', 'one'],
    ['${A}x', 'onex'],
    ['$Ax', ''],
    ['$A$B', 'onetwo words'],
    ['${UNSET:-x}', 'x'],
    ['${EMPTY:-x}', 'x'],
    ['${EMPTY-x}', ''],
    ['${UNSET-x}', 'x'],
    ['${A:+x}', 'x'],
    ['${EMPTY:+x}', ''],
    ['${EMPTY+x}', 'x'],
    ['${UNSET+x}', ''],
    ['${A:?no}', 'one'],
    ['${EMPTY?no}', ''],
    ['${UNSET:-${A}}', 'one'],
    ['${UNSET:-${EMPTY:-${B}}}', 'two words'],
    ['${FILE#*.}', 'tar.gz'],
    ['${FILE##*.}', 'gz'],
    ['${FILE%.*}', 'a.tar'],
    ['${FILE%%.*}', 'a'],
    ['${FILE#?.}', 'tar.gz'],
    ['${STARS#a\\*}', 'b*c'],
    ['${STARS%\\*c}', 'a*b'],
    ['${PATH/bin/sbin}', '/usr/sbin:/bin'],
    ['${PATH//bin/sbin}', '/usr/sbin:/sbin'],
    ['${PATH//\\/bin/}', '/usr:'],
    ['${FILE/a*r/x}', 'x.gz'],
    ['${A/one/$&}', '$&'],
    ['$', '$'],
    ['$.', '$.'],
    ['$1x', 'x'],
    ['${UNSET:-a b}', 'a b'],
  ])('%s is %j', (word, value) => expect(expanded(word)).toBe(value));

  it.each([
    ['${A:=x}', 'no modifier of variables [${A:=…}]'],
    ['${A=x}', 'no modifier of variables [${A=…}]'],
    ['${A:#x}', 'no modifier of variables [${A:#…}]'],
    ['${A', "a '}' is missing"],
    ['${', "a '}' is missing"],
    ['${}', 'nothing that can stand in ${} [}]'],
    ['${UNSET:?say why}', 'UNSET: say why'],
    ['${UNSET?}', 'UNSET: is not set'],
    ['${EMPTY:?}', 'EMPTY: is empty'],
    ['${A/x}', "a '/' is missing in ${}"],
    ['"open', 'a double quote has no end'],
    ["'open", 'a single quote has no end'],
  ])('%s is a mistake', (word, message) => expect(() => expanded(word)).toThrow(message));

  it('in variables can be nested only so deep', () => {
    expect(() => expanded(`${'${a:-'.repeat(100_000)}x${'}'.repeat(100_000)}`)).toThrow('too deep');
  });

  it('do not grow without bounds where variables double each other', () => {
    const values = new Map([['a0', 'xx']]);
    const grow = () => {
      for (let at = 1; at < 40; at++) {
        const before = `\${a${at - 1}}`;
        values.set(
          `a${at}`,
          expandWord(before + before, (name) => values.get(name), { escapeToken: '\\' }),
        );
      }
    };
    expect(grow).toThrow('variables make it too long');
    expect(values.size).toBeGreaterThan(15);
  });
});

describe('quotes and escapes', () => {
  it.each([
    ['"$A"', 'one'],
    ["'$A'", '$A'],
    ['\\$A', '$A'],
    ['"\\$A \\" \\\\ \\x"', '$A " \\ \\x'],
    ["'a\\'", 'a\\'],
    ['a\\ b', 'a b'],
    ['end\\', 'end'],
  ])('%s is %j', (word, value) => expect(expanded(word)).toBe(value));

  it('use the escape character that the Dockerfile names', () => {
    expect(expanded('`$A \\$A', '`')).toBe('$A \\one');
  });

  it('change nothing inside single quotes', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes("'")),
        (text) => {
          expect(expanded(`'${text}'`)).toBe(text);
        },
      ),
    );
  });
});

describe('words', () => {
  const words = (text: string) => shellWords(text, lookup, { escapeToken: '\\' });
  it.each([
    ['$B', ['two', 'words']],
    ['"$B"', ['two words']],
    ['x$B', ['xtwo', 'words']],
    [' a  b ', ['a', 'b']],
    ['80 $UNSET 443', ['80', '443']],
  ])('%j are %j', (text, value) => expect(words(text)).toEqual(value));
});
