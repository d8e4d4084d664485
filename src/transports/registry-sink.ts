// A registry as a sink of images: the embedded store in process, or any other by HTTP.
import { createLimiter } from '../io/concurrency/limiter.ts';
import type { CallOptions } from '../io/streams/bytes.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { RawManifest } from '../oci/manifest.ts';
import { DEFAULT_TAG, type Reference } from '../oci/reference.ts';
import type { Registry } from '../registry/contract.ts';
import type { ImageSink, PutBlobOptions, SinkWants } from './contract.ts';
import type { MountSources } from './mount-sources.ts';

export interface RegistrySinkOptions {
  /** For messages. */
  readonly label: string;
  /** The repository in which an image of this name is put: the place where hosts are stripped, or not. */
  repository(name: Reference): string;
  /** `complete` for registries that refuse indexes whose children are not all there, and for those of which nothing is known. */
  readonly indexes: 'sparse' | 'complete';
  /** Where blobs of this registry are known to be: mounted from there. */
  readonly mountSources?: MountSources;
  /** After the tag has moved: records the full name. */
  onCommit?(name: Reference, root: RawManifest): Promise<void>;
}

/** Questions to a sink that are under way at a time. */
const QUESTIONS = 16;
/** In bytes: what is smaller is sent as quickly as it is mounted. */
const WORTH_MOUNTING = 1 << 15;

/** The registry stays open: it is the caller's. */
export function registrySink(registry: Registry, options: RegistrySinkOptions): ImageSink {
  const ask = createLimiter(QUESTIONS);
  const wants: SinkWants = { layers: 'as-is', indexes: options.indexes, order: 'any' };

  const heldBytes = async (repository: string, blob: Descriptor, call?: CallOptions): Promise<number | undefined> => {
    const found = await registry.statBlob(repository, blob.digest, call);
    if (found?.size === blob.size) return undefined;
    // What a disk or a power cut made of a blob is not that blob: it is put again, from its start.
    if (found) {
      refused.add(`${repository} ${blob.digest}`);
      return 0;
    }
    if ((await mountSource(repository, blob)) !== undefined) return blob.size;
    return Math.min(await registry.partialBytes(blob.digest), blob.size);
  };

  /** Nothing waits for what is only remembered, until the end. */
  const notes: Promise<void>[] = [];
  const written = async (): Promise<void> => {
    await Promise.all(notes.splice(0));
  };

  /** Blobs that were to be mounted in vain, or are damaged: putting them does not mount. */
  const refused = new Set<string>();

  /** The repository that is most likely to have it: one attempt costs a look there, a second one would cost a request. */
  const mountSource = async (repository: string, { digest, size }: Descriptor): Promise<string | undefined> => {
    if (!options.mountSources || size < WORTH_MOUNTING) return undefined;
    return (await options.mountSources.of(digest)).find((one) => one !== repository);
  };

  const mounted = async (
    repository: string,
    blob: Descriptor,
    { onMount, ...call }: PutBlobOptions = {},
  ): Promise<boolean> => {
    const from = await mountSource(repository, blob);
    if (from === undefined) return false;
    const isMounted = await registry.mountBlob(repository, blob.digest, from, call);
    onMount?.(from, isMounted);
    if (isMounted) return true;
    await options.mountSources?.forget(blob.digest, from);
    return false;
  };

  return {
    label: options.label,
    wants,
    // Where full names are recorded, each of them keeps its image.
    ...(!options.onCommit && { nameThere: (name: Reference) => nameWithTag(options.repository(name), tagOf(name)) }),
    async missing(name, blobs, call) {
      const repository = options.repository(name);
      const held = await ask.map(blobs, (blob) => heldBytes(repository, blob, call), call?.signal);
      const lacking = new Map<Digest, number>();
      blobs.forEach((blob, at) => {
        const bytes = held[at];
        if (bytes !== undefined) lacking.set(blob.digest, bytes);
      });
      return lacking;
    },
    async missingManifests(name, manifests, call) {
      const repository = options.repository(name);
      const found = await ask.map(
        manifests,
        (manifest) => registry.statManifest(repository, manifest.digest, { ...call, whole: true }),
        call?.signal,
      );
      // One that is said to have another size is held against what its source has.
      const isThere = (manifest: Descriptor, at: number) => found[at]?.size === manifest.size;
      return new Set(manifests.filter((manifest, at) => !isThere(manifest, at)).map(({ digest }) => digest));
    },
    async putBlob(name, blob, open, call) {
      const repository = options.repository(name);
      const again = refused.delete(`${repository} ${blob.digest}`);
      if (again || !(await mounted(repository, blob, call))) await registry.putBlob(repository, blob, open, call);
      if (options.mountSources && blob.size >= WORTH_MOUNTING)
        notes.push(options.mountSources.remember(blob.digest, repository));
    },
    async mountBlob(name, blob, from, call) {
      const [to, other] = [options.repository(name), options.repository(from)];
      if (to === other || (await registry.mountBlob(to, blob.digest, other, call))) return true;
      refused.add(`${to} ${blob.digest}`);
      return false;
    },
    putManifest: (name, manifest, call) => registry.putManifest(options.repository(name), manifest, [], call),
    async commit(name, root, call) {
      const tag = tagOf(name);
      await registry.putManifest(options.repository(name), root, tag ? [tag] : [], call);
      await options.onCommit?.(name, root);
    },
    finish: written,
    [Symbol.asyncDispose]: written,
  };
}

function tagOf({ tag, digest }: Reference): string | undefined {
  return tag ?? (digest ? undefined : DEFAULT_TAG);
}

function nameWithTag(repository: string, tag: string | undefined): string | undefined {
  return tag && `${repository}:${tag}`;
}
