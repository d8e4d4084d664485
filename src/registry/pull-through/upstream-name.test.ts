import { expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { memoryStore } from '../../storage/drivers/staged-store.ts';
import { nameRecords } from '../../storage/repositories/name-records.ts';
import { recordedHosts, upstreamName } from './upstream-name.ts';

const DIGEST = digestOf(Buffer.from('image'));
const nobody = async () => new Set<string>();

it('the host that is said comes first, then that of the name, then the only one that is known', async () => {
  const quay = async () => new Set(['quay.io']);
  expect(await upstreamName('org/app', 'GHCR.io', quay)).toEqual({ host: 'ghcr.io', path: 'org/app' });
  expect(await upstreamName('gcr.io/org/app', undefined, quay)).toEqual({ host: 'gcr.io', path: 'org/app' });
  expect(await upstreamName('gcr.io/org/app', 'gcr.io', quay)).toEqual({ host: 'gcr.io', path: 'org/app' });
  expect(await upstreamName('org/app', undefined, quay)).toEqual({ host: 'quay.io', path: 'org/app' });
  expect(await upstreamName('alpine', 'docker.io', nobody)).toEqual({ host: 'docker.io', path: 'library/alpine' });
  expect(await upstreamName('org/app', undefined, nobody)).toBeUndefined();
  expect(await upstreamName('org/app', undefined, async () => new Set(['a.io', 'b.io']))).toBeUndefined();
});

it('a tag that one host has means that one; else the path has to be of one host', async () => {
  const names = nameRecords(memoryStore().objects);
  await names.set('quay.io', 'org/app', '1', DIGEST);
  await names.set('ghcr.io', 'org/app', '2', DIGEST);
  expect(await recordedHosts(names, 'org/app', '1')).toEqual(new Set(['quay.io']));
  expect(await recordedHosts(names, 'org/app', '3')).toEqual(new Set(['ghcr.io', 'quay.io']));
  expect(await recordedHosts(names, 'org/app', undefined)).toEqual(new Set(['ghcr.io', 'quay.io']));
  expect(await recordedHosts(names, 'org/other', '1')).toEqual(new Set());
});

it('of a path with very many tags none is meant, because looking at all of them is dear', async () => {
  const names = nameRecords(memoryStore().objects);
  for (let at = 0; at <= 1000; at++) await names.set('quay.io', 'org/app', `${at}`, DIGEST);
  expect(await recordedHosts(names, 'org/app', 'none')).toEqual(new Set());
  expect(await recordedHosts(names, 'org/app', '7')).toEqual(new Set(['quay.io']));
});
