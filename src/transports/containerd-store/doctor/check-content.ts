// The rules about blobs: each is hashed. A blob for which there is no file is noted with its image, where it may have been left out on purpose.
import { createHash } from 'node:crypto';
import type { CallOptions } from '../../../io/streams/bytes.ts';
import { digestAlgorithm, digestHex, isDigest } from '../../../oci/digest.ts';
import { type ContainerdArchive, entryBytes } from '../containerd-archive.ts';
import { type ContainerdProblem, containerdProblem } from './containerd-problem.ts';

const BLOB = /^io\.containerd\.content\.v1\.content\/blobs\/([^/]+)\/([^/]+)$/;

export async function checkContent(
  archive: ContainerdArchive,
  { signal }: CallOptions,
): Promise<readonly ContainerdProblem[]> {
  const problems: ContainerdProblem[] = [];
  const add = (text: string) => problems.push(containerdProblem('blob', text));
  const seen = new Set<string>();
  for (const { digest, size } of archive.meta.blobs) {
    if (seen.has(digest)) continue;
    seen.add(digest);
    const entry = archive.blob(digest);
    if (!isDigest(digest)) add(`no digest [${digest}]`);
    else if (entry?.type !== 'file') add(`${digest} is recorded, but not there`);
    else if (entry.size !== size) add(`${digest} has ${entry.size} bytes, meta.db says ${size}`);
    else {
      const hash = createHash(digestAlgorithm(digest));
      for await (const chunk of await entryBytes(archive.handle, entry)) {
        signal?.throwIfAborted();
        hash.update(chunk);
      }
      if (hash.digest('hex') !== digestHex(digest)) add(`${digest} has another content`);
    }
  }
  for (const path of archive.entries.keys()) {
    const [, algorithm, hex] = BLOB.exec(path) ?? [];
    if (hex !== undefined && !seen.has(`${algorithm}:${hex}`)) {
      problems.push(containerdProblem('orphan', `the blob ${algorithm}:${hex} is in no record`));
    }
  }
  return problems;
}
