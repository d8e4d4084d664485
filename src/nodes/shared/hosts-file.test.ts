import { expect, it } from 'vitest';
import { HOSTS_BEGIN, HOSTS_END, shadowedHosts, withHosts } from './hosts-file.ts';

const OURS = '10.0.0.1 quay.io\n10.0.0.1 docker.io\n';

it('/etc/hosts has ours in one block, renewed and removed', () => {
  const others = '127.0.0.1 localhost';
  const once = withHosts(others, OURS);
  expect(once).toBe(`${others}\n${HOSTS_BEGIN}\n${OURS}${HOSTS_END}\n`);
  expect(withHosts(once, OURS)).toBe(once);
  expect(withHosts(`${once}10.9.9.9 other\n`, '10.0.0.2 quay.io\n')).toBe(
    `${others}\n10.9.9.9 other\n${HOSTS_BEGIN}\n10.0.0.2 quay.io\n${HOSTS_END}\n`,
  );
  expect(withHosts(once, '')).toBe(`${others}\n`);
});

it('a block without an end is not ours alone', () => {
  expect(withHosts(`${HOSTS_BEGIN}\n10.9.9.9 other\n`, '')).toBe(`${HOSTS_BEGIN}\n10.9.9.9 other\n`);
  const orphan = `${HOSTS_BEGIN}\n10.9.9.9 other\n`;
  expect(withHosts(withHosts(orphan, OURS), '')).toBe(orphan);
});

it('a block whose lines were given the ends of Windows is ours, too', () => {
  expect(withHosts(withHosts('', OURS).replaceAll('\n', '\r\n'), '')).toBe('');
});

it('an earlier line with a name has the last word', () => {
  expect(shadowedHosts('10.9.9.9 mine quay.io # docker.io\n10.0.0.1 docker.io\n', OURS)).toEqual(['quay.io']);
});
