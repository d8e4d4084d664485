// The limit for the work of one template. None of these templates ends by itself, and none may take long. The budget is a hundredth of the real one: that
// everything is charged shows as well with little.
import { beforeAll, describe, expect, it } from 'vitest';
import { compilePattern, withPatterns } from '../../patterns.ts';
import { FUNCTIONS } from '../functions/functions.ts';
import { renderTemplate } from './evaluator.ts';
import { type ParsedTemplate, parseTemplate } from './parser.ts';

/** In characters. The templates below have far fewer steps than would use it up: what they do in them must be charged. */
const LITTLE = 5_000_000;

function render(
  source: string,
  dot: unknown = {},
  left = Number.POSITIVE_INFINITY,
): { readonly text: string; readonly problems: readonly string[] } {
  const parsed: ParsedTemplate = parseTemplate(source);
  const problems: string[] = [];
  const { text } = renderTemplate(parsed.body, dot, {
    functions: FUNCTIONS,
    templates: parsed.defines,
    parse: (inner) => parseTemplate(inner).body,
    problem: (problem) => problems.push(problem),
    budget: { left, take: () => {} },
  });
  return { text, problems };
}

const doubled = (start: string, again: string, use: string) =>
  `{{ $x := ${start} }}${`{{ $x = ${again} }}`.repeat(40)}a: {{ ${use} }}\nb: c`;

describe('a text that a template makes', () => {
  beforeAll(() => withPatterns(async () => compilePattern('')));

  it.each([
    ['doubled by printf', doubled('"aaaaaaaaaaaaaaaa"', 'printf "%s%s" $x $x', 'len $x')],
    ['doubled by print', doubled('"aaaaaaaaaaaaaaaa"', 'print $x $x', 'len $x')],
    ['doubled by join', doubled('"aaaaaaaaaaaaaaaa"', 'join $x (list $x $x $x)', 'len $x')],
    ['doubled by replace', doubled('"aaaaaaaaaaaaaaaa"', 'replace "a" $x $x', 'len $x')],
    ['doubled by quoting', doubled('"\\"\\"\\"\\""', 'quote $x', 'len $x')],
    ['repeated', '{{ repeat 1000000000 "ab" }}\nb: c'],
    ['indented', '{{ indent 3000000 (repeat 1000000 "\\n") }}\nb: c'],
    ['padded', '{{ printf "%*d" 3000000 1 }}{{ printf "%-99999999s" "x" }}\nb: c'],
    ['counted', '{{ until 1000000000 | toYaml }}{{ untilStep 0 1000000000 1 | join "," }}\nb: c'],
    ['of a list whose parts are all the same', doubled('list 1', 'list $x $x', 'toYaml $x')],
    ['of a copy of such', doubled('dict "a" 1', 'dict "a" $x "b" $x', 'deepCopy $x | len')],
    [
      'of a dictionary that holds itself',
      '{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ toYaml $d }}{{ print $d }}\nb: c',
    ],
    [
      'made from a version that is none',
      '{{ semver (repeat 4000000 "1") }}{{ semverCompare (repeat 4000000 "a") "1.2.3" }}\nb: c',
    ],
    ['with marks without end', '{{ camelcase (repeat 1000000 "-") }}{{ title (repeat 1000000 "- ") }}\nb: c'],
    ['by a format without end', '{{ printf (print "%" (repeat 1000000 "0")) 1 }}\nb: c'],
  ])('%s, is bounded', (_, source) => {
    try {
      const { text } = render(source, {}, 4 * LITTLE);
      expect(text).toContain('b: c');
      expect(text.length).toBeLessThan(10 << 20);
    } catch (error) {
      expect(String(error)).toMatch(/without end|too deeply/);
    }
  });

  it.each([
    ['{{ range until 1000 }}{{ upper $ }}{{ end }}', 'x'.repeat(10_000)],
    ['{{ range until 1000 }}{{ sha256sum $ }}{{ end }}', 'x'.repeat(1 << 20)],
    ['{{ $l := list }}{{ range until 4000 }}{{ $l = append $l $ }}{{ end }}', 'x'],
    [
      '{{ range until 1000 }}{{ if $ }}{{ end }}{{ end }}',
      Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, i])),
    ],
    ['{{ regexReplaceAll "a(.*z)?" $ "b" }}', 'a'.repeat(40_000)],
    ['{{ regexFindAll "[ab]*a[ab]{400}c|[ab]" $ -1 }}', 'ab'.repeat(20_000)],
  ])('that is costly in few steps is bounded, too: %s', (source, dot) => {
    expect(() => render(source, dot, LITTLE)).toThrow('a template works without end');
  });

  it.each([
    ['{{ printf "%1000000000d" 1 }}', '%!(NOVERB)%!(EXTRA int=1)'],
    ['{{ printf "%10d|%-4s|%04d|%.2f" 7 "x" 42 1.5 }}', '         7|x   |0042|1.50%!(EXTRA)'.replace('%!(EXTRA)', '')],
    ['{{ printf "%*d" 5 42 }}', '   42'],
    ['{{ printf "%*d" 5000000 42 }}', '%!(BADWIDTH)42'],
    ['{{ printf "%[2]s %[1]s" "a" "b" }}', 'b a'],
    ['{{ printf "%s%%" "a" }}', 'a%'],
    ['{{ printf "%s" }}', '%!s(MISSING)'],
    ['{{ printf "a" "b" }}', 'a%!(EXTRA string=b)'],
    ['{{ printf "%" }}', '%!(NOVERB)'],
    ['{{ printf "%q %v %t" "a" true false }}', '"a" true false'],
  ])('is what Go makes of it: %s', (source, expected) => {
    expect(render(source).text).toBe(expected);
  });

  it.each([
    ['actions', `${'{{ if true }}'.repeat(50_000)}${'{{ end }}'.repeat(50_000)}`],
    ['parentheses', `{{ ${'('.repeat(50_000)}1${')'.repeat(50_000)} }}`],
  ])('is refused if %s are nested too deeply', (_, source) => {
    expect(() => render(source)).toThrow(/too deeply|call stack/);
  });
});
