import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { withRegistries } from './registries-config.ts';

const OURS = `# ours
mirrors:
  "docker.io":
    endpoint:
      - "http://10.0.0.1:80"
  "*":
    endpoint:
      - "http://10.0.0.1:80"
configs:
  "10.0.0.1:80":
    tls:
      ca_file: /ca.crt
`;
const EMPTY = load(OURS);

const textOf = (text: string) => {
  const merged = withRegistries(text, OURS);
  return 'text' in merged ? merged.text : merged;
};

describe('a registries.yaml of others', () => {
  it('gets ours, and keeps its comments and all that it says', () => {
    const theirs = `# mine
mirrors:
    # the near one
    docker.io: # here
        endpoint:
            - https://near.example
        other: 1
    'quay.io':
        endpoint: ["https://quay.example"]

configs:
    near.example:
        auth: {username: me, password: secret}
`;
    const text = textOf(theirs);
    for (const line of theirs.split('\n')) expect(String(text).split('\n')).toContain(line);
    expect(load(String(text))).toEqual({
      mirrors: {
        'docker.io': { endpoint: ['http://10.0.0.1:80', 'https://near.example'], other: 1 },
        'quay.io': { endpoint: ['https://quay.example'] },
        '*': { endpoint: ['http://10.0.0.1:80'] },
      },
      configs: {
        'near.example': { auth: { username: 'me', password: 'secret' } },
        '10.0.0.1:80': { tls: { ca_file: '/ca.crt' } },
      },
    });
    expect(textOf(String(text))).toBe(text);
  });

  it.each([
    ['nothing', ''],
    ['comments', '# nothing yet'],
    ['no mirrors', 'configs:\n  a.example:\n    auth:\n      username: me\n'],
    ['an empty section', 'mirrors:\nconfigs:\n'],
    ['lists that are not indented', 'mirrors:\n  docker.io:\n    endpoint:\n    - "https://a.example"\n'],
  ])('with %s gets all of ours', (_, theirs) => {
    const text = String(textOf(theirs));
    const { mirrors } = load(text) as { mirrors: Record<string, { endpoint: readonly string[] }> };
    expect(mirrors['docker.io']?.endpoint[0]).toBe('http://10.0.0.1:80');
    expect(mirrors['*']).toEqual({ endpoint: ['http://10.0.0.1:80'] });
    if (theirs.trim() === '') expect(load(text)).toEqual(EMPTY);
    expect(textOf(text)).toBe(text);
  });

  it.each([
    ['in one line', 'mirrors: {docker.io: {endpoint: ["https://a.example"]}}\n', 'is not edited: add to it what'],
    ['with endpoints in one line', 'mirrors:\n  docker.io:\n    endpoint: [https://a.example]\n', 'add to it what'],
    [
      'with an anchor',
      'mirrors:\n  docker.io: &a\n    endpoint:\n      - https://a.example\n  b: *a\n',
      'add to it what',
    ],
    ['that rewrites names', 'mirrors:\n  docker.io:\n    rewrite:\n      "^x": y\n', 'it rewrites names of docker.io'],
    ['that is a list', '- a\n', 'not a mapping'],
    ['that cannot be read', 'mirrors: *nobody\n', 'not a mapping'],
  ])('%s stays, with what is to be done', (_, theirs, why) => {
    expect(textOf(theirs)).toEqual({ refused: expect.stringContaining(why) });
  });

  it('keeps what it says of our registry', () => {
    const theirs = 'configs:\n  "10.0.0.1:80":\n    auth:\n      username: me\n';
    expect(load(String(textOf(theirs)))).toMatchObject({ configs: { '10.0.0.1:80': { auth: { username: 'me' } } } });
  });
});
