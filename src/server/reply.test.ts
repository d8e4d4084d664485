// What clients are told of an error; and which of two combined errors: the server's own, if there is one.
import { expect, it } from 'vitest';
import { ImagesError } from '../oci/errors.ts';
import { errorReply, rootOf } from './reply.ts';

const refusal = new ImagesError('DIGEST_INVALID', 'a wrong digest');
const goneClient = new ImagesError('BROKEN_OFF', 'the client broke off');
const trouble = new ImagesError('NO_SPACE', 'no space left');
const bug = new Error('a bug');

/** The error that `await using` throws if disposal fails while another error is being thrown. */
const both = (second: unknown, first: unknown) => new SuppressedError(second, first);

it.each([
  ['one alone', refusal, refusal],
  ['what is no error', 'text', 'text'],
  ['one with a cause', Object.assign(new Error('x'), { error: refusal }), undefined],
  ['a refusal, then trouble', both(trouble, refusal), trouble],
  ['trouble, then a refusal', both(refusal, trouble), trouble],
  ['a client that went, then a bug', both(bug, goneClient), bug],
  ['trouble, then a client that went', both(goneClient, trouble), trouble],
  ['two of the client’s', both(goneClient, refusal), refusal],
  ['three', both(refusal, both(goneClient, trouble)), trouble],
  ['three, of which the last is trouble', both(both(trouble, refusal), goneClient), trouble],
])('the error that a client is told is the worst of %s', (_, error, root) => {
  expect(rootOf(error)).toBe(root ?? error);
});

const answered = (error: unknown) => {
  const { status, body } = errorReply(error);
  return [status, JSON.parse(Buffer.from(body as Uint8Array).toString()).errors[0]];
};

it('a policy’s own error is answered with its code, message and hint, and status 403', () => {
  const error = new ImagesError('POLICY_FROZEN', 'the repository is frozen [a/b]', { hint: 'Push to another.' });
  const detail = { hint: 'Push to another.' };
  expect(answered(error)).toEqual([403, { code: 'POLICY_FROZEN', message: 'the repository is frozen [a/b]', detail }]);
});

it.each([
  ['of the client’s is answered as it is', refusal, [400, { code: 'DIGEST_INVALID', message: 'a wrong digest' }]],
  [
    'of the machine’s, without its message',
    new ImagesError('NO_ACCESS', 'permission denied [/secret/path]'),
    [503, { code: 'UNAVAILABLE', message: 'the registry cannot use its own store' }],
  ],
  [
    'of the machine’s that is meant for clients, with it',
    new ImagesError('NO_SPACE', 'the quota is reached', { isPublic: true }),
    [507, { code: 'NO_SPACE', message: 'the quota is reached' }],
  ],
  [
    'that no client should meet is a bug',
    new ImagesError('USAGE', 'wrong'),
    [500, { code: 'UNKNOWN', message: 'unknown error' }],
  ],
  [
    'of the system’s for a shortage is temporary',
    Object.assign(new Error('too many open files'), { code: 'EMFILE' }),
    [503, { code: 'UNAVAILABLE', message: 'the registry cannot do this now: try again' }],
  ],
])('an error %s', (_, error, expected) => {
  expect(answered(error)).toEqual(expected);
});
