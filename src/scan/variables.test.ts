// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables
import { describe, expect, it } from 'vitest';
import { growth, LINEAR } from '../../test/testing/growth.ts';
import { deployment, maybeIn, scanText, usedIn } from './testing/scan-files.ts';
import { NO_VARIABLES, substitute } from './variables.ts';

describe('variables with defaults', () => {
  it.each([
    ['q.io/a:${TAG:=1.4}', 'q.io/a:1.4'],
    ['${IMAGE:-q.io/a:2}', 'q.io/a:2'],
    ['q.io/a:${TAG=3}', 'q.io/a:3'],
    ['q.io/a:${ TAG := 4}', 'q.io/a: 4'],
    ['${REGISTRY:-q.io}/${NAME:-${OTHER:-b}}:${TAG:=5}', 'q.io/b:5'],
  ])('are replaced in %s', (text, expected) => {
    expect(substitute(text, NO_VARIABLES)).toBe(expected);
  });

  it.each([
    'q.io/a:${TAG}',
    'q.io/a:$TAG',
    '$${TAG:-1}',
    '${TAG:-1',
    '${1:-x}',
    '${A:?say it}',
    '${TAG:+1}',
    '$$',
    '}${',
  ])('leave %s as it is', (text) => expect(substitute(text, NO_VARIABLES)).toBe(text));

  it('are in use in any manifest, also in one that does not parse, and in texts', () => {
    expect(
      usedIn(deployment('image: quay.io/a/b:${TAG:=1.4}', 'env: [{name: C_IMAGE, value: "${C:-quay.io/a/c:2}"}]')),
    ).toEqual(['quay.io/a/b:1.4', 'quay.io/a/c:2']);
    expect(usedIn('a: [\nimage: "${X:-quay.io/a/b:1}"\n')).toEqual(['quay.io/a/b:1']);
    const text =
      'apiVersion: v1\nkind: ConfigMap\ndata:\n  a: |\n    apiVersion: v1\n    kind: Pod\n    spec: {containers: [{name: a, image: "a:${V:-7}"}]}\n';
    expect(usedIn(text)).toEqual(['a:7']);
  });

  it('and others: those without a default stay placeholders', () => {
    expect(scanText(deployment('image: quay.io/a/b:${TAG}')).warnings).toHaveLength(1);
    expect(maybeIn(deployment('image: quay.io/a/b:${TAG}'))).toEqual([]);
  });

  it.each(['${', '${A:-', '${A}', '}', '$$', '${A:-${A'])(
    'take time in proportion to their length: %s',
    async (part) => {
      const variables = new Map([['A', 'a'.repeat(10_000)]]);
      const text = (count: number) => part.repeat(count);
      expect(await growth(20_000, text, (one) => substitute(one, variables))).toBeLessThan(LINEAR);
    },
  );
});
