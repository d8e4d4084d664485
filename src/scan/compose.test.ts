// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Compose's variables
import { describe, expect, it } from 'vitest';
import { readEnvironment } from './compose-variables.ts';
import { imagesOf } from './images.ts';
import { scanFiles } from './testing/scan-files.ts';
import { interpolate } from './variables.ts';

type Files = Readonly<Record<string, string>>;

const used = async (files: Files): Promise<readonly string[]> => imagesOf(await scanFiles(files));

async function maybes(files: Files): Promise<readonly string[]> {
  const { findings } = await scanFiles(files);
  return findings.filter(({ certainty }) => certainty === 'maybe').map(({ image, reason }) => `${image}: ${reason}`);
}

describe('a Compose file', () => {
  it('uses the images of its services, with their places', async () => {
    const { findings } = await scanFiles({
      'compose.yaml': 'services:\n  web:\n    image: nginx:1\n  db: {image: "postgres:16"}\n',
    });
    expect(findings).toEqual([
      {
        image: 'nginx:1',
        certainty: 'used',
        rule: 'compose',
        place: { file: 'compose.yaml', line: 3, path: 'services.web.image' },
      },
      {
        image: 'postgres:16',
        certainty: 'used',
        rule: 'compose',
        place: { file: 'compose.yaml', line: 4, path: 'services.db.image' },
      },
    ]);
  });

  it('takes variables from their defaults and from .env', async () => {
    const files = {
      'docker-compose.yml': 'services:\n  a: {image: "a/b:${TAG:-1.2}"}\n  c: {image: "${HOST}/c:${VERSION-x}"}\n',
      '.env': '# comment\nHOST=quay.io\nexport VERSION="3"\n',
    };
    expect(await used(files)).toEqual(['a/b:1.2', 'quay.io/c:3']);
  });

  it('does not guess variables that nothing sets', async () => {
    const files = { 'compose.yml': 'services:\n  a: {image: "a/b:$TAG"}\n  c: {image: "${PREFIX}redis:7"}\n' };
    expect(await maybes(files)).toEqual(['redis:7: depends on PREFIX, which nothing sets']);
    const { warnings } = await scanFiles(files);
    expect(warnings).toMatchObject([{ file: 'compose.yml', line: 2 }]);
  });

  it('is unsure of what is built, never pulled, or only in a profile', async () => {
    const files = {
      'compose.yaml':
        'services:\n  a: {image: me/a, build: .}\n  b: {build: ./b}\n  c: {image: c/c, profiles: [debug]}\n  d: {image: d/d, pull_policy: never}\n  e: {image: quay.io/e/e, pull_policy: never}\n',
    };
    expect(await used(files)).toEqual(['quay.io/e/e']);
    expect(await maybes(files)).toEqual([
      'me/a: built locally',
      'c/c: only with the profile debug',
      'd/d: never pulled',
    ]);
  });

  it('knows merges, anchors, extension fields and image volumes', async () => {
    const text =
      'x-base: &base\n  image: base/x:1\nservices:\n  a: {<<: *base}\n  b:\n    <<: *base\n    image: own/b:1\n    volumes: [{type: image, source: data/v:1, target: /v}]\n';
    expect(await used({ 'compose.yaml': text })).toEqual(['base/x:1', 'data/v:1', 'own/b:1']);
  });

  it('is changed by its override file', async () => {
    const files = {
      'compose.yaml': 'services:\n  a: {image: a/a:1}\n  b: {image: b/b:1}\n',
      'compose.override.yaml': 'services:\n  a: {image: a/a:2}\n  b: {build: .}\n',
    };
    expect(await used(files)).toEqual(['a/a:2']);
    expect(await maybes(files)).toEqual(['b/b:1: built locally']);
  });

  it('extends services of its own and of other files', async () => {
    const files = {
      'compose.yaml':
        'services:\n  a: {extends: {file: common/compose.yaml, service: base}}\n  b: {image: b/b:1}\n  c: {extends: {service: b}}\n',
      'common/compose.yaml': 'services:\n  base: {image: base/x:1}\n  other: {image: not/used}\n',
    };
    expect(await used(files)).toEqual(['b/b:1', 'base/x:1']);
  });

  it('goes by other names too, and Kubernetes objects are none', async () => {
    expect(await used({ 'deploy.yml': 'services:\n  a: {image: a/a:1}\n' })).toEqual(['a/a:1']);
    expect(await used({ 'compose.yaml': 'web:\n  image: v1/format:1\n' })).toEqual(['v1/format:1']);
    const { findings } = await scanFiles({ 'compose.yaml': 'apiVersion: v1\nkind: Service\nservices: {a: {}}\n' });
    expect(findings).toEqual([]);
  });
});

describe('variables', () => {
  const variables = new Map([
    ['A', 'a'],
    ['EMPTY', ''],
  ]);
  it.each([
    ['$A-${A}', 'a-a', []],
    ['$$A', '$A', []],
    ['${B:-${C:-deep}}', 'deep', []],
    ['${EMPTY:-x}${EMPTY-y}', 'x', []],
    ['${A:+set}${B+set}', 'set', []],
    ['${B:?must be set}', '', ['B']],
    ['${B', '${B', []],
    ['a$', 'a$', []],
  ])('%s', (text, expected, missing) => {
    expect(interpolate(text, variables)).toEqual({ text: expected, missing });
  });

  it('of a .env file have comments, quotes and names of others taken off', () => {
    const text = 'A=1 # one\nB=\'$A #\'\r\nexport C="x-${A}"\n\n# D=4\nE: 5\n';
    expect(Object.fromEntries(readEnvironment(text))).toEqual({ A: '1', B: '$A #', C: 'x-1', E: '5' });
  });
});
