// Which of two combined errors is answered and logged: the server's own, if there is one.
import { expect, it } from 'vitest';
import { ImagesError } from '../oci/errors.ts';
import { rootOf } from './reply.ts';

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
])('of %s', (_, error, root) => {
  expect(rootOf(error)).toBe(root ?? error);
});
