import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FUNCTIONS } from '../functions/functions.ts';
import { renderTemplate } from './evaluator.ts';
import { lexTemplate, TemplateSyntaxError } from './lexer.ts';
import { parseTemplate } from './parser.ts';
import { DOUBT, UNKNOWN } from './values.ts';

interface Run {
  readonly text: string;
  readonly lines: readonly number[];
  readonly problems: readonly string[];
}

function run(source: string, dot: unknown = {}, explores = false): Run {
  const parsed = parseTemplate(source);
  const problems: string[] = [];
  const { text, lines } = renderTemplate(parsed.body, dot, {
    functions: FUNCTIONS,
    templates: parsed.defines,
    parse: (inner) => parseTemplate(inner).body,
    problem: (problem) => problems.push(problem),
    explores,
  });
  return { text, lines: lines.map(({ line }) => line), problems };
}

const render = (source: string, dot: unknown = {}): string => run(source, dot).text;

describe('a template', () => {
  it.each([
    ['a {{- 1 -}} b', 'a1b'],
    ['a\n  {{- /* gone }} */ -}}\nb', 'ab'],
    ['{{ "}}" }}{{ `a\\n` }}{{ "a\\tb\\u00e9" }}', '}}a\\na\tbé'],
    ["{{ 'x' }} {{ 0x10 }} {{ 1_000 }} {{ 0o17 }} {{ -3 }}", '120 16 1000 15 -3'],
    ['{{ if true }}yes{{ else }}no{{ end }}', 'yes'],
    ['{{ if "" }}a{{ else if 0 }}b{{ else if dict }}c{{ else }}d{{ end }}', 'd'],
    ['{{ with "x" }}{{ . }}{{ end }}{{ with "" }}a{{ else with "b" }}{{ . }}{{ end }}', 'xb'],
    ['{{ range $i, $x := list "a" "b" }}{{ $i }}{{ $x }} {{ end }}', '0a 1b '],
    [
      '{{ range list 1 2 3 4 }}{{ if eq . 2 }}{{ continue }}{{ end }}{{ if eq . 4 }}{{ break }}{{ end }}{{ . }}{{ end }}',
      '13',
    ],
    ['{{ range dict "b" 1 "a" 2 }}{{ . }}{{ end }}{{ range list }}x{{ else }}none{{ end }}', '21none'],
    ['{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $y := 3 }}{{ end }}{{ $x }}', '2'],
    [
      '{{ define "t" }}<{{ .a }}>{{ end }}{{ template "t" dict "a" 1 }}{{ include "t" (dict "a" 2) | quote }}',
      '<1>"<2>"',
    ],
    ['{{ block "b" 5 }}[{{ . }}]{{ end }}', '[5]'],
    ['{{ printf "%s:%d %v %q %05.1f %%" "a" 3 true "x" 2.25 }}', 'a:3 true "x" 002.3 %'],
    ['{{ (dict "a" (dict "b" "c")).a.b }}', 'c'],
    ['{{ and 1 0 2 }} {{ or 0 "" "x" }} {{ not nil }}', '0 x true'],
    ['{{ "a" | upper | }}', 'A'],
    ['{{ tpl "{{ .a }}" (dict "a" "deep") }}', 'deep'],
  ])('%s', (source, expected) => {
    expect(render(source)).toBe(expected);
  });

  it('reads fields, methods and what is missing as Go does', () => {
    const dot = { a: { b: 'x' }, f: (name: unknown) => `<${String(name)}>`, none: null };
    expect(render('{{ .a.b }} {{ .f "y" }} {{ .nothing }}|{{ (.none).c }}|{{ $.a.b }}', dot)).toBe('x <y> ||x');
  });

  it('knows which of its lines wrote each line', () => {
    expect(run('a: 1\n{{- if true }}\nb: 2\n{{- end }}\n{{ "c: 3\\nd: 4" }}\ne: 5').lines).toEqual([1, 3, 5, 5, 6]);
  });

  it('marks what it cannot know as unknown, and goes on', () => {
    const { text, problems } = run('{{ .a.b }}/{{ required "say it" .c }}:{{ nosuch 1 }}', { a: null });
    expect(text).toBe(`${UNKNOWN}/${UNKNOWN}:${UNKNOWN}`);
    expect(problems).toEqual([
      'nil pointer evaluating [.b]',
      'a value is required: say it',
      'the function [nosuch] is not known',
    ]);
  });

  it('marks whole lines under an unknown condition as uncertain, and lines with an unknown part as unknown', () => {
    expect(run('{{ if now }}\na\n{{ end }}').text).toBe(`\n${DOUBT}a\n`);
    expect(run('x:{{ if now }}1{{ else }}2{{ end }}').text).toBe(`x:${UNKNOWN}`);
    expect(run('{{ $x := 1 }}{{ if now }}{{ $x = 2 }}{{ end }}{{ $x }}').text).toBe(UNKNOWN);
  });

  it('does not loop up to a port or size while it explores a branch', () => {
    const source =
      '{{ if .off }}\n{{ $l := list }}{{ range .size }}{{ $l = append $l 1 }}{{ end }}{{ len $l }}\n{{ end }}';
    expect(run(source, { size: 1_073_741_824 }, true).text).toContain('10');
  });

  it('explores a branch with break or continue, and goes on after it', () => {
    const inner = '{{ range .none }}\na\n{{ break }}\n{{ end }}b\n';
    expect(run(inner, {}, true).text).toContain('b\n');
    const skipped = '{{ range list 1 }}{{ if .off }}\n{{ continue }}\n{{ end }}c\n{{ end }}';
    expect(run(skipped, {}, true).text).toContain('c\n');
  });

  it('explores lines that a condition switches off, and nothing within a line', () => {
    const source = 'a{{ if .tag }}:{{ .tag }}{{ end }}\n{{- if .on }}\nb\n{{- end }}';
    expect(run(source, {}, true).text).toBe('a\nb');
    expect(run(source, {}).text).toBe('a');
  });

  it.each([
    ['{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}'],
    ['{{ range until 90000 }}{{ range until 90000 }}{{ end }}{{ end }}'],
  ])('that never ends is stopped: %s', (source) => {
    expect(() => render(source)).toThrow(/without end/);
  });

  it('with a mistake says in which line', () => {
    for (const source of ['\n{{ if }', '\n{{ if true }}', '\n{{ end }}', '\n{{ "a }}', '\n{{ ( 1 }}']) {
      expect(() => parseTemplate(source)).toThrow(TemplateSyntaxError);
    }
  });

  it('of any text keeps what stands outside of actions, or is refused as a template', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('{{', '}}', '-', ' ', '\n', 'a', '"', '.', '|', '(', '$x', 'if', 'end', '/*')),
        (parts) => {
          const source = parts.join('');
          try {
            const texts = lexTemplate(source).flatMap((part) => (part.kind === 'text' ? [part.text] : []));
            expect(source.replace(/\s/g, '')).toContain(texts[0]?.replace(/\s/g, '') ?? '');
            parseTemplate(source);
          } catch (error) {
            if (!(error instanceof TemplateSyntaxError)) throw error;
          }
        },
      ),
    );
  });
});

describe('functions', () => {
  it.each([
    ['"" | default "x"', 'x'],
    ['coalesce "" nil "y" "z"', 'y'],
    ['ternary "a" "b" false', 'b'],
    ['"v1.2.3" | trimPrefix "v"', '1.2.3'],
    ['trimSuffix "-x" "a-x"', 'a'],
    ['"a" | nindent 2', '\n  a'],
    ['replace "." "-" "1.2.3"', '1-2-3'],
    ['splitList ":" "a:b" | last', 'b'],
    ['(split "." "1.2")._1', '2'],
    ['join "," (list 1 2)', '1,2'],
    ['dig "a" "b" "none" (dict "a" (dict "b" "deep"))', 'deep'],
    ['hasKey (dict "a" nil) "a"', 'true'],
    ['(merge (dict "a" 1) (dict "a" 2 "b" 3)).b', '3'],
    ['(mergeOverwrite (dict "a" 1) (dict "a" 2)).a', '2'],
    ['keys (dict "z" 1) | first', 'z'],
    ['dict "a" (list 1 "x") | toYaml', 'a:\n  - 1\n  - x'],
    ['(fromYaml "a: {b: yes}").a.b', 'true'],
    ['dict "a" 1 | toJson', '{"a":1}'],
    ['(semver "1.30.4-eks").Minor', '30'],
    ['toString 1.5', '1.5'],
    ['20230101', '20230101'],
    ['kindIs "string" "x"', 'true'],
    ['eq 1 2 1', 'true'],
    ['index (dict "a" (list 7 8)) "a" 1', '8'],
    ['b64enc "a" | b64dec', 'a'],
    ['trunc -2 "abc"', 'bc'],
    ['(urlParse "oci://quay.io/a/b").host', 'quay.io'],
  ])('%s', (expression, expected) => {
    expect(render(`{{ ${expression} }}`)).toBe(expected);
  });

  it.each([
    ['>=1.19-0', '1.30.4-eks', true],
    ['>=1.19', '1.30.4-eks', false],
    ['^1.2', '1.9.0', true],
    ['^0.2.1', '0.3.0', false],
    ['~1.2.3', '1.2.9', true],
    ['1.x', 'v1.5', true],
    ['>1.2', '1.2.9', false],
    ['<1.5 || >=2', '1.7.0', false],
    ['1.2 - 1.4', '1.3.0', true],
    ['!=1.3', '1.3.4', false],
  ])('semverCompare %s %s', (constraint, version, expected) => {
    expect(render(`{{ semverCompare "${constraint}" "${version}" }}`)).toBe(String(expected));
  });
});
