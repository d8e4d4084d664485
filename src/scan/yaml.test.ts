import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseYaml } from './yaml.ts';

const values = (text: string) => parseYaml('f', text).documents.map(({ value }) => value);

describe('parsing YAML', () => {
  it('gives every document of a file, and none for what is empty', () => {
    expect(values('a: 1\n---\n---\n# only a comment\n---\nb: 2\n...\n---\nnull\n')).toEqual([{ a: 1 }, { b: 2 }]);
  });

  it('keeps what can be a tag as it was written', () => {
    expect(values('[1.20, 1.2, 0x1F, 007, 1e3, 2024-01-01, 12:30, 1_000, yes, on, v1, 12]')).toEqual([
      ['1.20', 1.2, '0x1F', '007', '1e3', '2024-01-01', '12:30', '1_000', 'yes', 'on', 'v1', 12],
    ]);
  });

  it('resolves anchors and merges; a key of the mapping itself wins', () => {
    const text = 'base: &b {image: a, tag: x}\nuse:\n  <<: *b\n  tag: y\nlist:\n  <<: [*b]\n';
    expect(values(text)).toMatchObject([{ use: { image: 'a', tag: 'y' }, list: { image: 'a' } }]);
  });

  it('lets the last of repeated keys win, as kubectl does', () => {
    expect(values('a: 1\na: 2\n')).toEqual([{ a: 2 }]);
  });

  it('reads values with tags of other programs', () => {
    expect(values('a: !Sub x\nb: !reference [y]\nc: !Map {z: 1}\nd: !!binary aGk=\n')).toEqual([
      { a: 'x', b: ['y'], c: { z: 1 }, d: 'aGk=' },
    ]);
  });

  it('takes Windows and old Mac line ends, a BOM and JSON', () => {
    expect(values('\ufeffa: 1\r\n---\r\nb: |\r\n  x\r\n  y\r\n')).toEqual([{ a: 1 }, { b: 'x\ny\n' }]);
    expect(values('a: 1\rb: 2\r')).toEqual([{ a: 1, b: 2 }]);
    expect(values('{\n\t"a": ["x\\/y", 1.5, null, true]\n}\n')).toEqual([{ a: ['x/y', 1.5, null, true] }]);
  });

  it('names the broken part and its line, and gives the others', () => {
    const { documents, broken } = parseYaml('f', 'a: 1\n---\nb: [\nc: }\n---\nd: 4\n');
    expect(documents.map(({ value }) => value)).toEqual([{ a: 1 }, { d: 4 }]);
    expect(broken).toMatchObject([{ firstLine: 2, line: 4, text: '---\nb: [\nc: }\n' }]);
  });

  it("takes quoted texts that go on left of their parent, as Go's parser does", () => {
    const text = "a:\n  b:\n    c: '[\n  x,\n]'\n    d: [\n  1\n]\n";
    expect(values(text)).toEqual([{ a: { b: { c: '[ x, ]', d: [1] } } }]);
  });

  it('separates two objects even if the mark between them is missing', () => {
    const text = 'apiVersion: v1\nkind: Pod\na: 1\nkind: Job\napiVersion: v1\na: 2\n---\nkind: A\nkind: B\n';
    const { documents } = parseYaml('f', text);
    expect(documents.map(({ value }) => value)).toMatchObject([
      { kind: 'Pod', a: 1 },
      { kind: 'Job', a: 2 },
      { kind: 'B' },
    ]);
    expect(documents[1]?.lineOf(['a'])).toBe(6);
  });

  it('recognises a template', () => {
    expect(parseYaml('f', 'a: {{ .b }}\n').broken).toMatchObject([{ reason: 'it is a template' }]);
  });

  it('counts lines through comments, documents, block scalars, merges and aliases', () => {
    const text =
      '# one\n---\na:\n  - b\n  - c: |\n      first\n      second\nx: &x\n  y: 1\nz:\n  <<: *x\nw: *x\n---\nq: 1\n';
    const [first, second] = parseYaml('f', text).documents;
    expect(first?.lineOf(['a', 1, 'c'])).toBe(6);
    expect(first?.lineInText(['a', 1, 'c'], 2)).toBe(7);
    expect(first?.lineOf(['z', 'y'])).toBe(9);
    expect(first?.lineOf(['w'])).toBe(12);
    expect(first?.lineOf(['w', 'y'])).toBe(9);
    expect(second?.lineOf(['q'])).toBe(14);
  });

  it('gives the nearest line for a path that leads nowhere, and the key for an empty value', () => {
    const [document] = parseYaml('f', 'a: 1\nb:\n  c:\n').documents;
    expect(document?.lineOf(['b', 'c'])).toBe(3);
    expect(document?.lineOf(['b', 'c', 'd', 0])).toBe(3);
    expect(document?.lineOf(['nothing'])).toBe(1);
  });

  it('refuses what is nested too deeply without falling over', () => {
    expect(parseYaml('f', '['.repeat(100_000)).broken).toHaveLength(1);
    expect(parseYaml('f', '{a: '.repeat(2000)).broken).toHaveLength(1);
  });

  it('ends documents at their end marks too, each with its own source and lines', () => {
    const { documents } = parseYaml('f', 'a: 1\n...\nb:\n  c: 2\n... \n---\nd: 3\n...\n');
    expect(documents.map(({ value, source }) => [value, source])).toEqual([
      [{ a: 1 }, 'a: 1\n...\n'],
      [{ b: { c: 2 } }, 'b:\n  c: 2\n... \n'],
      [{ d: 3 }, '---\nd: 3\n...\n'],
    ]);
    expect(documents[1]?.lineOf(['b', 'c'])).toBe(4);
  });

  const doubling = (count: number, more: (i: number) => string) =>
    ['l0: &l0 [x]', ...Array.from({ length: count }, (_, i) => `l${i + 1}: &l${i + 1} ${more(i)}`)].join('\n');
  const reasonsOf = (text: string) => parseYaml('f', text).broken.map(({ reason }) => reason);

  it.each([
    ['that multiply each other', doubling(40, (i) => `[${`*l${i},`.repeat(10)}]`), 'excessive aliasing'],
    ['that double in mappings', doubling(40, (i) => `{l: *l${i}, r: *l${i}}`), 'excessive aliasing'],
    [
      'that multiply through merges',
      doubling(40, (i) => `{<<: {a: *l${i}}, b: *l${i}, c: *l${i}}`),
      'excessive aliasing',
    ],
    ['of a long text', `a: &a ${'x'.repeat(1 << 20)}\nb: [${'*a,'.repeat(100)}]\n`, 'excessive aliasing of long texts'],
    ['that nest without end', doubling(20, (i) => `${'['.repeat(20)}*l${i}${']'.repeat(20)}`), 'nesting exceeded'],
    ['of what they stand in', 'a: &a [b, *a]\n', 'contains itself'],
  ])('refuses aliases %s', (_, text, reason) => {
    expect(reasonsOf(text)).toEqual([expect.stringContaining(reason)]);
  });

  it.each([
    ['many of one small value', `a: &a {b: c}\nd:\n${'- *a\n'.repeat(20_000)}`],
    ['one anchor again and again', 'a: &a {b: c}\nb: {<<: *a, x: &a {y: z}}\nc: *a\n'],
  ])('takes aliases of the usual kind: %s', (_, text) => {
    expect(reasonsOf(text)).toEqual([]);
  });

  it('finds the line behind the nearest anchor, and of what a merge brings in', () => {
    const text = 'a: &a {b: 1}\nc: &a\n  b: 2\nd: *a\ne:\n  <<: [*a, {z: 3}]\n  y: 1\n';
    const [document] = parseYaml('f', text).documents;
    expect(document?.lineOf(['d', 'b'])).toBe(3);
    expect(document?.lineOf(['e', 'b'])).toBe(3);
    expect(document?.lineOf(['e', 'z'])).toBe(6);
  });

  it('asks which documents are wanted before it parses them', () => {
    expect(parseYaml('f', 'a: 1\n---\nb: [\n', (part) => part.startsWith('a')).broken).toEqual([]);
  });

  it('never throws', () => {
    const piece = fc.constantFrom(
      'a: ',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '\n',
      '  ',
      '---\n',
      '"',
      "'",
      '&a ',
      '*a',
      '|',
      '<<: ',
      '!x ',
      '\t',
      '%',
      '\u0000',
      'é',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((parts) => parts.join('')),
        ),
        (text) => {
          const { documents, broken } = parseYaml('f', text);
          for (const document of documents) expect(document.lineOf(['a', 0])).toBeGreaterThan(0);
          expect(broken.every(({ line, firstLine }) => line >= firstLine)).toBe(true);
        },
      ),
    );
  });
});
