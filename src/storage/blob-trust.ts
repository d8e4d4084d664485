// Which blobs of the store are what their digests say. A blob without a mark was verified and synced before it had its name: it is believed. A mark beside
// it says why it is not. Doubt is settled by hashing, once, and the result is what the mark says then; nothing is removed. Right bytes take the
// place of wrong ones whoever brings them.
//
// The mark of a blob holds
//   BOOT              verified, and written without waiting for the disk while the machine ran under this boot id. Of an earlier boot: doubtful
//   damaged VERSION   hashed, and another content; of another version of the object than the one that is there: doubtful
//   anything else     doubtful: a reader met wrong bytes, or a power cut has emptied the mark
//
// Several processes may come at once. So bytes that were not synced never take the place of others (`publishUnsynced`): else they could slip in between the
// sync of what was there and the end of its mark. And a mark that comes too late, beside what has been put right, costs a look and nothing else.
import { bootId } from '../io/concurrency/process-identity.ts';
import type { Bytes } from '../io/streams/bytes.ts';
import { tapped, verified } from '../io/streams/verify.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, digestAlgorithm, digester, isDigest } from '../oci/digest.ts';
import { isImagesError } from '../oci/errors.ts';
import { blobKey, blobStageId, DAMAGED_PREFIX, damagedKey, markKey } from './layout.ts';
import { readObject } from './links.ts';
import type { ObjectInfo, ObjectStore, Stage } from './object-store.ts';
import { forgetMark, rememberMark, unwrittenMarks } from './unwritten-marks.ts';

type Blob = Pick<Descriptor, 'digest' | 'size'>;
type Trust = 'whole' | 'unsynced' | 'doubtful' | 'damaged';

const WRONG = 'damaged ';

/** Where it is there and whole as far as is known; `undefined` counts as absent. What was in doubt has been hashed when it returns. */
export async function wholeBlob(objects: ObjectStore, digest: Digest): Promise<ObjectInfo | undefined> {
  return await looked(objects, digest, async () => {});
}

/** The same; it is also durable when it returns: what a repository may rely on. */
export async function durableBlob(objects: ObjectStore, digest: Digest): Promise<ObjectInfo | undefined> {
  return await looked(objects, digest, async (trust) => {
    if (trust === 'unsynced') await makeDurable(objects, digest);
    // Its bytes are on disk; its name may not be, where another process has just given it, or was killed then.
    else await objects.sync([blobKey(digest)], { namesOnly: true });
  });
}

async function looked(
  objects: ObjectStore,
  digest: Digest,
  relyOn: (trust: 'whole' | 'unsynced') => Promise<void>,
): Promise<ObjectInfo | undefined> {
  const stored = await objects.stat(blobKey(digest));
  if (!stored) return undefined;
  const trust = await trustIn(objects, digest, stored);
  if (trust === 'doubtful') return await settledOnce(objects, digest);
  if (trust === 'damaged') return undefined;
  await relyOn(trust);
  return stored;
}

/**
 * The stage holds the blob, verified: it is what is there from now on, on disk, whatever was there before. `link` puts an object that leads to it and returns
 * its key: both names are durable when it returns, by one wait for the disk.
 */
export async function publishBlob(
  objects: ObjectStore,
  stage: Stage,
  digest: Digest,
  link?: () => Promise<string>,
): Promise<void> {
  await stage.publish(blobKey(digest), { durable: link ? 'bytes' : 'name' });
  if (link) await objects.sync([blobKey(digest), await link()]);
  await removeMark(objects, digest);
}

/** The same without waiting for the disk. What was there before stays if it is the same: it is hashed. */
export async function publishUnsynced(objects: ObjectStore, stage: Stage, digest: Digest): Promise<void> {
  if (!(await objects.stat(blobKey(digest)))) {
    // Before the blob, and in its folder: a blob without a mark is believed.
    await objects.put(markKey(digest), Buffer.from(bootId() || 'unknown'), { volatile: true });
    if (await stage.publish(blobKey(digest), { ifAbsent: true, durable: 'nothing' })) return;
  }
  if (await settled(objects, digest, 'certain')) await stage.discard();
  else await publishBlob(objects, stage, digest);
}

/** After bytes of it were wrong: whoever asks next has it hashed. */
export async function doubtBlob(objects: ObjectStore, digest: Digest): Promise<void> {
  await mark(objects, digest, 'doubtful');
}

/** Of an object that is on disk now, and was seen to be right. */
export async function removeMark(objects: ObjectStore, digest: Digest): Promise<void> {
  forgetMark(objects, digest);
  if (!(await objects.stat(markKey(digest)))) return;
  if (await isWritten(() => objects.delete([markKey(digest), damagedKey(digest)]))) return;
  await remember(objects, digest, undefined);
}

/** Blobs that are known to be damaged. */
export async function damagedBlobs(objects: ObjectStore): Promise<ReadonlySet<Digest>> {
  const damaged = new Set<Digest>();
  for (const digest of [...unwrittenMarks(objects).keys()]) {
    if (!(await wholeBlob(objects, digest))) damaged.add(digest);
  }
  for (const algorithm of await objects.children(DAMAGED_PREFIX)) {
    for (const hex of await objects.children(`${DAMAGED_PREFIX}${algorithm}`)) {
      const digest = `${algorithm.slice(0, -1)}:${hex}`;
      if (isDigest(digest) && !(await wholeBlob(objects, digest))) damaged.add(digest);
    }
  }
  return damaged;
}

async function mark(objects: ObjectStore, digest: Digest, text: string): Promise<void> {
  const write = async () => {
    await objects.put(damagedKey(digest), new Uint8Array(), { volatile: true });
    await objects.put(markKey(digest), Buffer.from(text));
  };
  if (await isWritten(write)) forgetMark(objects, digest);
  else await remember(objects, digest, text);
}

async function remember(objects: ObjectStore, digest: Digest, text: string | undefined): Promise<void> {
  const [blob, mark] = await Promise.all([objects.stat(blobKey(digest)), objects.stat(markKey(digest))]);
  if (blob) rememberMark(objects, digest, { text, blob: blob.version, mark: mark?.version });
}

/** The whole blob, verified as it is read; where it proves to be wrong, that is remembered. `undefined` where there is none. Errors: DIGEST_INVALID, SIZE_INVALID. */
export async function readVerified(objects: ObjectStore, blob: Blob): Promise<Bytes | undefined> {
  const body = await objects.get(blobKey(blob.digest));
  return body && doubting(objects, blob, verified(body, blob));
}

function doubting(objects: ObjectStore, { digest }: Blob, body: Bytes): Bytes {
  const ignore = () => {};
  return tapped(body, ignore, async (error) => {
    if (isImagesError(error, 'DIGEST_INVALID', 'SIZE_INVALID')) await doubtBlob(objects, digest);
  });
}

async function trustIn(objects: ObjectStore, digest: Digest, { version }: ObjectInfo): Promise<Trust> {
  const text = await markText(objects, digest, version);
  if (text === undefined) return 'whole';
  if (text === `${WRONG}${version}`) return 'damaged';
  return text !== '' && text === bootId() ? 'unsynced' : 'doubtful';
}

async function markText(objects: ObjectStore, digest: Digest, version: string): Promise<string | undefined> {
  const unwritten = unwrittenMarks(objects).get(digest);
  if (unwritten?.blob === version && unwritten.mark === (await objects.stat(markKey(digest)))?.version) {
    return unwritten.text;
  }
  const bytes = await readObject(objects, markKey(digest));
  return bytes && Buffer.from(bytes).toString();
}

const settling = new WeakMap<ObjectStore, Map<Digest, Promise<ObjectInfo | undefined>>>();

/** Once for all in this process that ask at once: where the store cannot be written to, there are no turns. */
function settledOnce(objects: ObjectStore, digest: Digest): Promise<ObjectInfo | undefined> {
  const all = settling.get(objects) ?? new Map<Digest, Promise<ObjectInfo | undefined>>();
  settling.set(objects, all);
  const running = all.get(digest) ?? settled(objects, digest).finally(() => all.delete(digest));
  all.set(digest, running);
  return running;
}

/** Hashes what is in doubt, or `certain`ly, and writes down the result; one at a time, so that it is done once. */
async function settled(objects: ObjectStore, digest: Digest, certain?: 'certain'): Promise<ObjectInfo | undefined> {
  await using _turn = await turn(objects, digest);
  const stored = await objects.stat(blobKey(digest));
  if (!stored) return undefined;
  const trust = await trustIn(objects, digest, stored);
  if (trust === 'damaged') return undefined;
  if (trust === 'whole' && !certain) return stored;
  const found = await hashOf(objects, digest);
  if (found === digest) {
    if (trust !== 'whole') await makeDurable(objects, digest);
    return stored;
  }
  await mark(objects, digest, `${WRONG}${stored.version}`);
  return undefined;
}

/** On a store that cannot be written to, nobody else writes down anything either. */
async function turn(objects: ObjectStore, digest: Digest): Promise<AsyncDisposable> {
  let stage: Stage | undefined;
  await isWritten(async () => {
    stage = await objects.stage(`settle-${blobStageId(digest)}`);
  });
  return { [Symbol.asyncDispose]: async () => stage?.discard() };
}

async function hashOf(objects: ObjectStore, digest: Digest): Promise<Digest> {
  const algorithm = digestAlgorithm(digest);
  const hash = digester(algorithm);
  for await (const chunk of (await objects.get(blobKey(digest))) ?? []) hash.update(chunk);
  return `${algorithm}:${hash.digest('hex')}`;
}

async function makeDurable(objects: ObjectStore, digest: Digest): Promise<void> {
  await objects.sync([blobKey(digest)]);
  await removeMark(objects, digest);
}

/** False where the store cannot be written to. */
async function isWritten(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if (!isImagesError(error, 'NO_ACCESS', 'READ_ONLY', 'NO_SPACE')) throw error;
    return false;
  }
}
