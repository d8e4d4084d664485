import { describe, expect, it } from 'vitest';
import type { DocumentRule, ListedRule } from './contract.ts';
import { findInText } from './find-in-text.ts';
import { cluesOf } from './may-matter.ts';
import { rulesWith, SCAN_RULES } from './rules.ts';
import { parseYaml } from './yaml.ts';

const { mayMatter, isOnlySchemas } = cluesOf(SCAN_RULES.documents);
const big = (text: string) => `${text}\nrules:\n${'- verbs: [get]\n'.repeat(1000)}`;
const LISTED = SCAN_RULES.documents as readonly ListedRule[];

it('small documents are always parsed, big ones if they mention images', () => {
  expect(mayMatter('a: 1')).toBe(true);
  expect(mayMatter(big('kind: ClusterRole'))).toBe(false);
  expect(mayMatter(big('image: x'))).toBe(true);
  expect(mayMatter(big('x: quay.io/a/b:1'))).toBe(true);
  expect(mayMatter(big('kind: Secret'))).toBe(true);
});

it('big schemas are parsed only if a field has an image as its default', () => {
  expect(mayMatter(big('kind: CustomResourceDefinition\nproperties: {image: {type: string}}'))).toBe(false);
  expect(mayMatter(big('kind: CustomResourceDefinition\n  default: quay.io/a/b:1'))).toBe(true);
});

it('a template of nothing but big schemas is not rendered', () => {
  const schema = big('{{- if .Values.crds }}\nkind: CustomResourceDefinition');
  expect(isOnlySchemas(schema)).toBe(true);
  expect(isOnlySchemas(`${schema}\n---\n${schema}\n{{- end }}`)).toBe(true);
  expect(isOnlySchemas(`${schema}\n---\nkind: Pod\n`)).toBe(false);
  expect(isOnlySchemas(`{{ define "x" }}${schema}`)).toBe(false);
});

describe.each(LISTED.map((rule) => [rule.name, rule] as const))('the rule %s', (_, rule) => {
  it('finds an image in its sample', () => {
    const [document] = parseYaml('f', rule.sample).documents;
    if (!document) throw new Error('the sample is empty');
    expect(rule.matches(document)).toBe(true);
    expect([...rule.find(document)].some((found) => 'image' in found)).toBe(true);
  });

  it('finds it in a big file by its own clue, whichever rules there are beside it', () => {
    const { findings } = findInText('f', big(rule.sample.trimEnd()), { rules: [rule] });
    expect(findings.map(({ image }) => image)).not.toEqual([]);
  });
});

describe('a rule of one’s own', () => {
  const boots: DocumentRule = {
    name: 'machines',
    matches: () => true,
    *find({ file, value }) {
      const position = { file, line: 1, path: '' };
      const disk = (value as { boots?: string } | null)?.boots;
      if (disk) yield { image: `quay.io/vm/${disk}:1`, certainty: 'used', rule: 'machines', position };
    },
  };
  const found = (rule: DocumentRule, text: string) =>
    findInText('f', text, { rules: rulesWith({ documents: [rule] }).documents }).findings.map(({ image }) => image);

  it('is asked in big parts and in texts inside texts, by its clue', () => {
    const inText = 'kind: ConfigMap\ndata:\n  a: |\n    boots: disk\n';
    expect(found(boots, big('boots: disk'))).toEqual([]);
    expect(found(boots, inText)).toEqual([]);
    const withClue = { ...boots, clue: /^[ ]*boots:/gm };
    for (const _ of [1, 2]) expect(found(withClue, big('boots: disk'))).toEqual(['quay.io/vm/disk:1']);
    expect(found(withClue, inText)).toEqual(['quay.io/vm/disk:1']);
  });

  it('is asked in big schemas if it looks into them', () => {
    const schema = big('boots: disk\nkind: CustomResourceDefinition');
    const withClue = { ...boots, clue: /boots/ };
    expect(found(withClue, schema)).toEqual([]);
    expect(found({ ...withClue, inSchemas: true }, schema)).toEqual(['quay.io/vm/disk:1']);
  });

  it('sees everything where no rule has a clue', () => {
    expect(findInText('f', big('boots: disk'), { rules: [boots] }).findings).toHaveLength(1);
  });
});
