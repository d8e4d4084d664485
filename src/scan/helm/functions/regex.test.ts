// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are templates of Go's regexp
import { beforeAll, describe, expect, it } from 'vitest';
import { growth, LINEAR } from '../../../../test/testing/growth.ts';
import { compilePattern, withPatterns } from '../../patterns.ts';
import { renderTemplate } from '../template/evaluator.ts';
import { parseTemplate } from '../template/parser.ts';
import { FUNCTIONS } from './functions.ts';

beforeAll(() => withPatterns(async () => compilePattern('')));

function render(source: string, dot: unknown = {}): { readonly text: string; readonly problems: readonly string[] } {
  const { body, defines } = parseTemplate(source);
  const problems: string[] = [];
  const { text } = renderTemplate(body, dot, {
    functions: FUNCTIONS,
    templates: defines,
    parse: (inner) => parseTemplate(inner).body,
    problem: (problem) => problems.push(problem),
  });
  return { text, problems };
}

describe('regular expressions in templates', () => {
  // The expected results are those of Go's regexp and Sprig 3.
  it.each([
    ['regexReplaceAll "^(\\\\d+)\\\\.(\\\\d+).*" "1.34.2" "${1}.${2}"', '1.34'],
    ['regexReplaceAll "a(x*)b" "-ab-axxb-" "${1}W"', '-W-xxW-'],
    ['regexReplaceAll "a(x*)b" "-ab-axxb-" "$1W"', '--'.concat('-')],
    ['regexReplaceAll "(?P<n>a)" "ba" "[$n]$$"', 'b[a]$'],
    ['regexReplaceAllLiteral "a(x*)b" "-ab-axxb-" "${1}"', '-${1}-${1}-'],
    ['regexReplaceAll "a*" "baaac" "x"', 'xbxcx'],
    ['regexMatch "^sha256:[a-f0-9]+$" "sha256:ab"', 'true'],
    ['regexMatch "\\\\Aa\\\\z" "a\\n"', 'false'],
    ['regexMatch "(?i)[[:alpha:]]+\\\\pL" "ÄÖ"', 'false'],
    ['regexFind "[a-zA-Z][1-9]" "abcd1234"', 'd1'],
    ['regexFind "z" "abc"', ''],
    ['regexFindAll "[2,4,6,8]" "123456789" -1', '[2 4 6 8]'],
    ['regexFindAll "a*" "baaac" -1', '[ aaa  ]'.replace('  ]', ' ]')],
    ['regexFindAll "[0-9]" "1234" 2', '[1 2]'],
    ['regexSplit "z+" "pizza" -1', '[pi a]'],
    ['regexSplit "," "a,b,c" 2', '[a b,c]'],
    ['regexSplit "" "abc" -1', '[a b c]'],
    ['mustRegexMatch "a" "a"', 'true'],
    ['mustRegexReplaceAllLiteral "a" "aa" "b"', 'bb'],
    ['regexQuoteMeta "1.2+3"', '1\\.2\\+3'],
  ])('%s', (expression, expected) => {
    expect(render(`{{ ${expression} }}`).text).toBe(expected);
  });

  it.each(['(a', 'a**', '(?=a)', '\\1', `${'(a{1000}){1000}'}`])('refuse [%s] as a pattern', (pattern) => {
    expect(render('{{ regexMatch .p "a" }}', { p: pattern }).problems).toEqual([
      `the pattern [${pattern}] is not understood`,
    ]);
  });

  it.each(['(a+)+$', '(a|a)*$', '(.*a){20}$', '^(\\w+\\s?)*$', '(a?){30}a{30}$'])(
    'take time in proportion to the text: %s',
    async (pattern) => {
      const text = (length: number) => `${'a'.repeat(length)}!`;
      const match = (one: string) =>
        render('{{ regexMatch .p .text }}{{ regexFindAll .p .text -1 }}', { p: pattern, text: one });
      expect(await growth(10_000, text, match)).toBeLessThan(LINEAR);
    },
  );
});
