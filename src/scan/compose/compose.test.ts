// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Compose's variables
import { describe, expect, it } from 'vitest';
import { imagesOf } from '../images.ts';
import { scanFiles } from '../testing/scan-files.ts';
import { interpolate } from '../variables.ts';
import { readEnvironment } from './environment-file.ts';

type Files = Readonly<Record<string, string>>;

const used = async (files: Files): Promise<readonly string[]> => imagesOf(await scanFiles(files));

async function maybes(files: Files): Promise<readonly string[]> {
  const { findings } = await scanFiles(files);
  return findings.filter(({ certainty }) => certainty === 'maybe').map(({ image, reason }) => `${image}: ${reason}`);
}

describe('a Compose file', () => {
  it('uses the images of its services, with their positions', async () => {
    const { findings } = await scanFiles({
      'compose.yaml': 'services:\n  web:\n    image: nginx:1\n  db: {image: "postgres:16"}\n',
    });
    expect(findings).toEqual([
      {
        image: 'nginx:1',
        certainty: 'used',
        rule: 'compose',
        position: { file: 'compose.yaml', line: 3, path: 'services.web.image' },
      },
      {
        image: 'postgres:16',
        certainty: 'used',
        rule: 'compose',
        position: { file: 'compose.yaml', line: 4, path: 'services.db.image' },
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

  it('may have other names; Kubernetes objects are not Compose files', async () => {
    expect(await used({ 'deploy.yml': 'services:\n  a: {image: a/a:1}\n' })).toEqual(['a/a:1']);
    expect(await used({ 'compose.yaml': 'web:\n  image: v1/format:1\n' })).toEqual(['v1/format:1']);
    const { findings } = await scanFiles({ 'compose.yaml': 'apiVersion: v1\nkind: Service\nservices: {a: {}}\n' });
    expect(findings).toEqual([]);
  });
});

describe('a Compose project', () => {
  it('includes other files, whatever they are called, with the values of who includes them', async () => {
    const files = {
      'compose.yaml':
        'include:\n- parts/db.yml\n- {path: [more/a.yaml, more/b.yaml], env_file: more/own.env, project_directory: more}\n',
      '.env': 'TAG=1\n',
      'parts/db.yml': 'include: [deep/x.yaml]\nservices: {db: {image: "db:${TAG}"}}\n',
      'parts/.env': 'TAG=never\nOWN=2\n',
      'parts/deep/x.yaml': 'services: {x: {image: "x:${OWN}"}}\n',
      'more/a.yaml': 'services: {a: {image: "a:${MORE}"}}\n',
      'more/b.yaml': 'services: {a: {image: "b:${MORE}"}}\n',
      'more/own.env': 'MORE=3\n',
    };
    const found = await scanFiles(files);
    expect(imagesOf(found)).toEqual(['b:3', 'db:1', 'x:2']);
    expect(found.warnings).toEqual([]);
  });

  it('warns of what it includes and is not here, and ends where files include each other', async () => {
    const files = {
      'compose.yaml':
        'include: [compose.yaml, absent.yaml, "https://git.example/x.git"]\nservices: {a: {image: "a:1"}}\n',
    };
    const { findings, warnings } = await scanFiles(files);
    expect(findings).toHaveLength(1);
    expect(warnings.map(({ text }) => text)).toEqual([
      '[absent.yaml] is not here: its images are not found',
      '[https://git.example/x.git] is elsewhere and not fetched: its images are not found',
    ]);
  });

  it('extends services of files of any name', async () => {
    const files = {
      'app/compose.yaml': 'services: {a: {extends: {file: ../common-services.yml, service: base}}}\n',
      'app/.env': 'TAG=7\n',
      'common-services.yml':
        'services:\n  base: {extends: {file: more.yml, service: b}}\n  other: {image: "never:${TAG}"}\n',
      'more.yml': 'services: {b: {image: "b:${TAG}"}}\n',
    };
    const found = await scanFiles(files);
    expect([imagesOf(found), imagesOf(found, { maybe: true }), found.warnings]).toEqual([['b:7'], [], []]);
  });

  it('consists of the files that COMPOSE_FILE names; images of others beside them are uncertain', async () => {
    const files = {
      '.env': 'COMPOSE_PATH_SEPARATOR=,\nCOMPOSE_FILE=base.yml,deploy/prod.yml\n',
      'base.yml': 'services: {a: {image: "a:1"}, b: {image: "b:1"}}\n',
      'deploy/prod.yml': 'services: {a: {image: "a:2"}}\n',
      'docker-compose.dev.yml': 'services: {a: {image: "a:dev"}}\n',
    };
    expect(await used(files)).toEqual(['a:2', 'b:1']);
    expect(await maybes(files)).toEqual(['a:dev: COMPOSE_FILE in [.env] names other files']);
  });

  it.each([
    ['x,all', ['a:1', 'b:1']],
    ['"*"', ['a:1', 'b:1', 'c:1']],
    ['', ['a:1']],
  ])('starts the profiles %s', async (profiles, expected) => {
    const files = {
      '.env': `COMPOSE_PROFILES=${profiles}\n`,
      'compose.yaml':
        'services: {a: {image: "a:1"}, b: {image: "b:1", profiles: [all]}, c: {image: "c:1", profiles: [trace]}}\n',
    };
    expect(await used(files)).toEqual(expected);
  });

  it('has override files that add, reset and replace', async () => {
    const base =
      'services:\n  a: {image: "a:1", build: .}\n  b: {image: "b:1", profiles: [x]}\n  c: {image: "c:1", volumes: [{type: image, source: "v:1"}]}\n  d: {image: "d:1"}\n  e: {image: "e:1"}\n';
    const override =
      'services:\n  a: {build: !reset null}\n  b: {profiles: !override []}\n  c: {image: null, volumes: [{type: image, source: "v:2"}]}\n  d: !reset null\n  e: !override {image: "e:2"}\n';
    const files = { 'docker-compose.yml': base, 'docker-compose.override.yml': override };
    expect(await used(files)).toEqual(['a:1', 'b:1', 'c:1', 'e:2', 'v:1', 'v:2']);
    expect(
      await used({ 'docker-compose.yml': base, 'compose.override.yaml': 'services: !override {z: {image: "z:1"}}\n' }),
    ).toEqual(['z:1']);
  });

  it('reads a file that many include once', async () => {
    const levels = Array.from({ length: 40 }, (_, i) => [
      `${i === 0 ? 'compose' : `part${i}`}.yaml`,
      `include: [part${i + 1}.yaml, {path: part${i + 1}.yaml}]\nservices: {a${i}: {image: "a/b:${i}"}}\n`,
    ]);
    const files = { ...Object.fromEntries(levels), 'part40.yaml': 'services: {z: {image: "z:1"}}\n' };
    expect(await used(files)).toHaveLength(41);
  });

  it('names models, which are uncertain', async () => {
    expect(
      await maybes({ 'compose.yaml': 'services: {a: {image: "a:1", models: [m]}}\nmodels: {m: {model: ai/small}}\n' }),
    ).toEqual(["ai/small: a model: Docker's runner of models pulls it"]);
  });
});

describe('variables of Compose', () => {
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

describe('Compose files that name each other', () => {
  const include = (...files: readonly string[]) => `include: [${files.join(', ')}]\nservices: {s: {image: "a/b:1"}}\n`;

  it('in a circle cause a warning; a file that names itself through others is still a project', async () => {
    const circle = { 'a/compose.yaml': include('../b/compose.yaml'), 'b/compose.yaml': include('../a/compose.yaml') };
    const { findings, warnings } = await scanFiles(circle);
    expect([findings, warnings.map(({ file }) => file)]).toEqual([[], ['a/compose.yaml', 'b/compose.yaml']]);
    expect(await used({ 'compose.yaml': include('base.yml'), 'base.yml': include('compose.yaml') })).toEqual(['a/b:1']);
  });

  it('by variables are found, each with what is set beside it', async () => {
    const files = {
      'a/compose.yaml': include('${X}.yml'),
      'a/.env': 'X=one\n',
      'a/one.yml': 'services: {s: {image: "a/one:1"}}\n',
      'b/compose.yaml': include('${X}.compose.yml'),
      'b/.env': 'X=two\n',
      'b/two.compose.yml': 'services: {s: {image: "a/two:1"}}\n',
    };
    expect(await used(files)).toEqual(['a/b:1', 'a/one:1', 'a/two:1']);
  });

  it('by services that extend each other without end cause a warning', async () => {
    const { warnings } = await scanFiles({ 'compose.yaml': 'services: {a: {extends: b}, b: {extends: a}}\n' });
    expect(warnings.map(({ text }) => text)).toContainEqual(expect.stringContaining('in circles'));
  });
});
