// Makes the hashes that htpasswd.ts reads. Relies on bcryptjs.
import { ImagesError } from '../oci/errors.ts';
import { MAX_PASSWORD_BYTES } from './htpasswd.ts';

/** Takes some 130 ms. */
const HASH_COST = 10;

/** For a line of a file of passwords; takes some 130 ms of this thread. Errors: USAGE, for passwords that bcrypt does not take whole. */
export async function hashPassword(password: string): Promise<string> {
  const wrong = whatIsWrongWithPassword(password);
  if (wrong !== undefined) throw new ImagesError('USAGE', `the password cannot be used: ${wrong}`);
  const { hash } = await import('bcryptjs');
  return await hash(password, HASH_COST);
}

/** bcrypt leaves out all after a NUL and after 72 bytes, without a word: what seems long may then be short. */
export function whatIsWrongWithPassword(password: string): string | undefined {
  if (password === '') return 'it is empty';
  if (password.includes('\0')) return 'it has a NUL';
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) return `it has more than ${MAX_PASSWORD_BYTES} bytes`;
  return undefined;
}
