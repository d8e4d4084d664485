import { expect, it } from 'vitest';
import { ImagesError } from '../../oci/errors.ts';
import type { Registry } from '../../registry/contract.ts';
import { renewedHosts } from './renewed-hosts.ts';

function openings() {
  const one = { opened: 0, retired: 0, disposed: 0, clock: 0, failure: undefined as Error | undefined };
  const hosts = renewedHosts(
    async () => {
      one.opened += 1;
      if (one.failure) throw one.failure;
      return {
        registryOf: () => ({}) as Registry,
        retire: () => {
          one.retired += 1;
        },
        [Symbol.asyncDispose]: async () => {
          one.disposed += 1;
        },
      };
    },
    () => one.clock,
  );
  return Object.assign(one, { hosts, ask: (host = 'quay.io') => hosts.registryOf({ host, path: 'org/app' }) });
}

it('hosts are opened anew after five minutes, and after ten seconds where a login may have been missing', async () => {
  const one = openings();
  await one.ask();
  one.hosts.doubt();
  await one.ask();
  expect(one.opened).toBe(1);
  one.clock += 10_000;
  await one.ask();
  expect([one.opened, one.retired]).toEqual([2, 1]);
  one.clock += 299_999;
  await one.ask();
  expect(one.opened).toBe(2);
  one.clock += 1;
  await one.ask();
  expect([one.opened, one.retired]).toEqual([3, 2]);
  await one.hosts[Symbol.asyncDispose]();
  expect(one.disposed).toBe(1);
});

it('what is kept of hosts that somebody has made up does not pile up', async () => {
  const one = openings();
  for (let at = 0; at <= 1000; at++) await one.ask(`h${at}.example`);
  expect(one.opened).toBe(2);
});

it('what could not be opened is tried again, and stands in the way of no end', async () => {
  const one = openings();
  one.failure = new ImagesError('CONFIG_INVALID', 'not TOML');
  await expect(one.ask()).rejects.toThrow('not TOML');
  await one.hosts[Symbol.asyncDispose]();
  one.failure = undefined;
  await one.ask();
  expect(one.opened).toBe(2);
});

it('can be opened before somebody asks; what fails then is tried again when somebody does', async () => {
  const one = openings();
  one.hosts.warmUp();
  await one.ask();
  expect(one.opened).toBe(1);
  const broken = openings();
  broken.failure = new ImagesError('CONFIG_INVALID', 'broken');
  broken.hosts.warmUp();
  await expect(broken.ask()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  broken.failure = undefined;
  await broken.ask();
  expect(broken.opened).toBeGreaterThan(1);
});
