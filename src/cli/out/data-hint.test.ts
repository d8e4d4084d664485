import { expect, it } from 'vitest';
import { ImagesError } from '../../oci/errors.ts';
import type { Context } from '../process/context.ts';
import { namingDataDirectory } from './data-hint.ts';

const HOME = { env: {}, home: '/home/me' } as unknown as Context;
const full = (path: string) => new ImagesError('NO_SPACE', `no space left [${path}]`, { hint: 'Free some.' });
const ANOTHER = expect.objectContaining({ hint: expect.stringContaining('--data=DIR') });

it.each([
  ['/home/me/.local/share/images', 'the directory'],
  ['/home/me/.local/share/images/docker/x', 'what is in it'],
  ['/home/me/.local', 'what it is in'],
])('what cannot be written to %s, %s, has the hint to name another one', (path) => {
  const error = full(path);
  expect(namingDataDirectory(error, false, HOME)).toEqual(ANOTHER);
  expect(namingDataDirectory(error, false, HOME)).toMatchObject({ code: 'NO_SPACE', message: error.message });
});

it('an error of the system is understood as well', () => {
  const path = '/home/me/.local/share/images/docker';
  const thrown = Object.assign(new Error(`EACCES: permission denied, open '${path}'`), { code: 'EACCES', path });
  expect(namingDataDirectory(thrown, false, HOME)).toEqual(ANOTHER);
});

it.each<[string, unknown, boolean, Context]>([
  ['of another path', full('/srv/images'), false, HOME],
  ['of a path whose name only begins like it', full('/home/me/.local/share/images2'), false, HOME],
  ['where --data names a directory', full('/home/me/.local/share/images'), true, HOME],
  ['where $IMAGES_DATA does', full('/home/me/.local/share/images'), false, { ...HOME, env: { IMAGES_DATA: '/d' } }],
  ['of another kind', new ImagesError('DENIED', 'no [/home/me/.local/share/images]'), false, HOME],
  ['of a user without a home', full('/.local/share/images'), false, { ...HOME, home: undefined }],
  ['without a path', new ImagesError('READ_ONLY', 'read-only'), false, HOME],
])('an error %s stays as it is', (_, error, isNamed, context) => {
  expect(namingDataDirectory(error, isNamed, context)).toBe(error);
});
