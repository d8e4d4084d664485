import { expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { diskStore } from '../drivers/staged-store.ts';
import { NAMES } from '../layout/image-keys.ts';
import { testDirectory } from '../testing/directories.ts';
import { nameRecords } from './name-records.ts';

const [one, two] = [digestOf(Buffer.from('one')), digestOf(Buffer.from('two'))];

it('lists each name with its digest, in all or of one path, and nothing that is no name', async () => {
  await using directory = await testDirectory();
  const { objects } = diskStore(directory.path);
  const names = nameRecords(objects);
  await names.set('quay.io', 'team/app', '1', two);
  await names.set('index.docker.io', 'alpine', '3', one);
  await names.set('ghcr.io', 'team/app', '1', one);
  await objects.put(`${NAMES}notes.txt`, Buffer.from(two));
  const quay = { host: 'quay.io', path: 'team/app', tag: '1', digest: two };
  const ghcr = { host: 'ghcr.io', path: 'team/app', tag: '1', digest: one };
  expect(await Array.fromAsync(names.all())).toEqual([
    { host: 'docker.io', path: 'library/alpine', tag: '3', digest: one },
    ghcr,
    quay,
  ]);
  expect(await Array.fromAsync(names.ofPath('team/app'))).toEqual([ghcr, quay]);
});
