import { expect, it } from 'vitest';
import { withDockerConfig, withoutDockerConfig } from './docker-config.ts';

const OURS = JSON.stringify({ 'registry-mirrors': ['http://r'], 'insecure-registries': ['r'] });

it('docker’s daemon.json keeps what others have written, and gets ours first', () => {
  const theirs = JSON.stringify({ debug: true, 'registry-mirrors': ['https://m'] });
  const merged = withDockerConfig(theirs, OURS);
  expect('text' in merged && JSON.parse(merged.text)).toEqual({
    debug: true,
    'registry-mirrors': ['http://r', 'https://m'],
    'insecure-registries': ['r'],
  });
  expect('text' in merged && withDockerConfig(merged.text, OURS)).toEqual(merged);
  expect('text' in merged && JSON.parse(withoutDockerConfig(merged.text, OURS) ?? '')).toEqual(JSON.parse(theirs));
});

it('docker’s daemon.json of ours alone goes', () => {
  const merged = withDockerConfig('', OURS);
  expect('text' in merged && withoutDockerConfig(merged.text, OURS)).toBeUndefined();
});

it.each([
  ['{', 'it is not a JSON object'],
  ['[]', 'it is not a JSON object'],
  ['{"registry-mirrors": "x"}', 'registry-mirrors is not a list'],
])('docker’s daemon.json that is %s stays', (text, refused) => {
  expect(withDockerConfig(text, OURS)).toEqual({ refused });
  if (refused.endsWith('object')) expect(withoutDockerConfig(text, OURS)).toBe(text);
});
