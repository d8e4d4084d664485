// All digests in a text, such as a manifest: whatever kind of manifest it is, and wherever they stand.
import { type Digest, isDigest } from '../../oci/digest.ts';

const KINDS = [
  { name: Buffer.from('sha256:'), length: 7 + 64 },
  { name: Buffer.from('sha512:'), length: 7 + 128 },
] as const;

export function digestsIn(bytes: Uint8Array): ReadonlySet<Digest> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = new Set<Digest>();
  for (const { name, length } of KINDS) {
    for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
      // A copy: a part of a string would keep all of it in memory.
      const digest = text.toString('latin1', at, at + length);
      if (isDigest(digest)) found.add(digest);
    }
  }
  return found;
}
