// Referrers for registries without the referrers API: clients maintain an index under a tag that is made from the subject's digest
// (distribution specification 1.1, "Referrers Tag Schema" and "Pushing Manifests with Subject").
import type { CallOptions } from '../../io/streams/bytes.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, digestAlgorithm, digestHex } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import {
  decodeManifest,
  type Manifest,
  manifestDescriptor,
  type RawManifest,
  rawManifest,
} from '../../oci/manifest.ts';
import { OCI_INDEX } from '../../oci/media-types.ts';
import type { ReadOptions } from '../contract.ts';
import type { ManifestReader } from './manifests.ts';

/** `sha256-HEX`. Of sha512 only the first 64 digits, because a tag has at most 128 characters. */
export function referrersTag(subject: Digest): string {
  return `${digestAlgorithm(subject)}-${digestHex(subject).slice(0, 64)}`;
}

/** The referrers that the tag lists; none if there is no such tag. */
export async function taggedReferrers(
  manifests: ManifestReader,
  repository: string,
  { subject, ...options }: { readonly subject: Digest } & ReadOptions,
): Promise<readonly Descriptor[]> {
  try {
    const index = decodeManifest(await manifests.getManifest(repository, referrersTag(subject), options));
    return index.kind === 'index' ? index.manifests : [];
  } catch (error) {
    if (isImagesError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) return [];
    throw error;
  }
}

export type PutTag = (repository: string, tag: string, index: RawManifest, options: CallOptions) => Promise<unknown>;

/** Adds manifests to the list of their subject. Additions of this client wait for each other; those of other clients may get lost, as the specification says. */
export function referrersRecorder(manifests: ManifestReader, put: PutTag) {
  const lists = new Map<string, Promise<void>>();
  const add = async (repository: string, referrer: Descriptor, { subject, ...options }: Addition): Promise<void> => {
    const known = await taggedReferrers(manifests, repository, { subject, ...options });
    if (known.some((each) => each.digest === referrer.digest)) return;
    const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [...known, referrer] };
    await put(repository, referrersTag(subject), rawManifest(Buffer.from(JSON.stringify(index))), options);
  };

  return async (repository: string, raw: RawManifest, options: CallOptions): Promise<void> => {
    const manifest = withSubject(raw);
    if (!manifest?.subject) return;
    const { digest: subject } = manifest.subject;
    const key = `${repository}@${subject}`;
    const before = lists.get(key) ?? Promise.resolve();
    const mine = before.catch(() => {}).then(() => add(repository, describe(raw, manifest), { subject, ...options }));
    lists.set(key, mine);
    try {
      await mine;
    } finally {
      if (lists.get(key) === mine) lists.delete(key);
    }
  };
}

type Addition = { readonly subject: Digest } & CallOptions;

/** The manifest if it has a subject. Most have none, which the bytes tell without decoding. */
function withSubject(raw: RawManifest): Manifest | undefined {
  return Buffer.from(raw.bytes.buffer, raw.bytes.byteOffset, raw.bytes.byteLength).includes('"subject"')
    ? decodeManifest(raw)
    : undefined;
}

function describe(raw: RawManifest, manifest: Manifest): Descriptor {
  const artifactType = manifest.artifactType ?? (manifest.kind === 'image' ? manifest.config.mediaType : undefined);
  return {
    ...manifestDescriptor(raw),
    ...(artifactType && { artifactType }),
    ...(manifest.annotations && { annotations: manifest.annotations }),
  };
}
