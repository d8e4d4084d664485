// A registry as a sink of images: the embedded store in process, or any other over HTTP.
import { createLimiter } from '../io/concurrency/limiter.ts';
import type { CallOptions } from '../io/streams/bytes.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { RawManifest } from '../oci/manifest.ts';
import { DEFAULT_TAG, type Reference } from '../oci/reference.ts';
import type { Registry } from '../registry/contract.ts';
import type { ImageSink, SinkWants } from './contract.ts';
import type { MountSources } from './mount-sources.ts';
import { rememberedMounts } from './remembered-mounts.ts';

export interface RegistrySinkOptions {
  /** For messages. */
  readonly label: string;
  /** The repository into which an image with this name is put. Whether it keeps the host of the name is decided here. */
  repository(name: Reference): string;
  /** `complete` for registries that refuse indexes with missing children, and if this is not known. */
  readonly indexes: 'sparse' | 'complete';
  /** Repositories of this registry from which blobs can be mounted. */
  readonly mountSources?: MountSources;
  /** Called after the tag has moved, to record the full name. */
  onCommit?(name: Reference, root: RawManifest): Promise<void>;
}

/** How many queries to a sink are under way at a time. */
const QUESTIONS = 16;

/** The registry stays the caller's. */
export function registrySink(registry: Registry, options: RegistrySinkOptions): ImageSink {
  const ask = createLimiter(QUESTIONS);
  const wants: SinkWants = { layers: 'as-is', indexes: options.indexes, order: 'any' };
  const mounts = rememberedMounts(registry, options.mountSources);
  /** Blobs whose mount was refused, or that are damaged: they are put without trying to mount. */
  const refused = new Set<string>();

  const waitingBytes = async (
    repository: string,
    blob: Descriptor,
    call?: CallOptions,
  ): Promise<number | undefined> => {
    const found = await registry.statBlob(repository, blob.digest, call);
    if (found?.size === blob.size) return undefined;
    // A stored blob whose size differs from its descriptor counts as absent: it is put again from byte 0.
    if (found) {
      refused.add(`${repository} ${blob.digest}`);
      return 0;
    }
    if (await mounts.isLikely(repository, blob)) return blob.size;
    return Math.min(await registry.partialBytes(blob.digest), blob.size);
  };

  return {
    label: options.label,
    wants,
    // Where full names are recorded, each of them keeps its own image, so names do not clash.
    ...(!options.onCommit && { nameThere: (name: Reference) => nameWithTag(options.repository(name), tagOf(name)) }),
    async missing(name, blobs, call) {
      const repository = options.repository(name);
      const held = await ask.map(blobs, (blob) => waitingBytes(repository, blob, call), call?.signal);
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
      // If the size differs from the descriptor, the manifest is compared with that of the source.
      const isThere = (manifest: Descriptor, at: number) => found[at]?.size === manifest.size;
      return new Set(manifests.filter((manifest, at) => !isThere(manifest, at)).map(({ digest }) => digest));
    },
    async putBlob(name, blob, open, call) {
      const repository = options.repository(name);
      const again = refused.delete(`${repository} ${blob.digest}`);
      if (again || !(await mounts.mount(repository, blob, call))) await registry.putBlob(repository, blob, open, call);
      mounts.remember(repository, blob);
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
    finish: mounts.written,
    [Symbol.asyncDispose]: mounts.written,
  };
}

function tagOf({ tag, digest }: Reference): string | undefined {
  return tag ?? (digest ? undefined : DEFAULT_TAG);
}

function nameWithTag(repository: string, tag: string | undefined): string | undefined {
  return tag && `${repository}:${tag}`;
}
