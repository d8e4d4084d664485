// Digests: `algorithm:hex` (OCI image specification, descriptor.md, "Digests"). sha256 and sha512 are the registered ones.
import { createHash, type Hash } from 'node:crypto';
import { ImagesError } from './errors.ts';

export type DigestAlgorithm = 'sha256' | 'sha512';
export type Digest = `${DigestAlgorithm}:${string}`;

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** Whether a text is a digest of an algorithm that is known here. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && DIGEST.test(text);
}

/** `ALGORITHM:HEX` as a digest. Errors: DIGEST_INVALID. */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) {
    throw new ImagesError('DIGEST_INVALID', `not a digest [${text}]`, {
      hint: 'A digest is sha256: and 64, or sha512: and 128, lower-case hexadecimal digits.',
    });
  }
  return text;
}

/** `sha256` of `sha256:abc…`. */
export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** `abc…` of `sha256:abc…`. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** A running hash for the algorithm of a digest. */
export function digester(algorithm: DigestAlgorithm): Hash {
  return createHash(algorithm);
}

/** The digest of bytes that are in memory. */
export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}
