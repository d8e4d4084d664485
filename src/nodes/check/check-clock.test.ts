import { expect, it } from 'vitest';
import type { NodeRegistry } from '../node-file.ts';
import { clockFindings } from './check-clock.ts';
import { parseProbe } from './probe-answer.ts';

const HTTPS: NodeRegistry = { addresses: ['10.0.0.1'], port: 443, scheme: 'https', names: 'with-host' };
const NOW = 1_800_000_000;

it('a clock that is wrong is told of where the registry has HTTPS', () => {
  const at = (clock: number | undefined, registry: NodeRegistry | undefined = HTTPS) =>
    clockFindings(clock, NOW, registry).map(({ what }) => what);
  expect(at(NOW - 600)).toEqual([]);
  expect(at(undefined)).toEqual([]);
  expect(at(0, { ...HTTPS, scheme: 'http' })).toEqual([]);
  expect(clockFindings(0, NOW, undefined)).toEqual([]);
  expect(at(NOW - 5 * 3600)[0]).toMatch(/^the node's clock is 5 h behind: certificates are not yet valid for it/);
  expect(at(0)[0]).toContain('20833 days behind');
  expect(at(NOW + 3 * 86_400)[0]).toMatch(/^the node's clock is 3 days ahead: certificates may have expired/);
});

it('a node that cannot tell its time is not judged by it', () => {
  expect(parseProbe('@ clock 1800000000\n@ end\n').clock).toBe(NOW);
  expect(parseProbe('@ clock\n@ end\n').clock).toBeUndefined();
  expect(parseProbe('@ clock %s\n@ end\n').clock).toBeUndefined();
});
