// The Docker daemon's images and containers: operations of the Engine API as functions (docs.docker.com, "Engine API").
import type { Bytes, CallOptions } from '../../io/streams/bytes.ts';
import * as decode from '../../oci/decode.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { formatReference, type Reference } from '../../oci/reference.ts';
import { connectDaemon, type DaemonVersion } from './connection.ts';
import { type DaemonSettings, daemonEndpoint } from './endpoint.ts';
import { readLoadAnswer } from './load-answer.ts';

export interface DaemonImage {
  /** The digest of the config; that of the manifest or index if the daemon uses containerd's image store. */
  readonly id: Digest;
  readonly tags: readonly string[];
  /** Names of the form `name@sha256:…`, as it was pulled or pushed. */
  readonly digests: readonly string[];
  /** Size in bytes, as the daemon counts it. */
  readonly size: number;
}

export interface DaemonImageDetails extends DaemonImage {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly diffIds: readonly Digest[];
}

export interface DaemonContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  /** `running`, `exited` and so on. */
  readonly state: string;
}

export interface DockerDaemon extends Disposable {
  /** The address in the form of $DOCKER_HOST. */
  readonly address: string;
  /** Errors: NOT_RUNNING, NO_ACCESS, UNREACHABLE, TIMEOUT, BAD_ANSWER. All other methods have these errors, too. */
  ping(options?: CallOptions): Promise<DaemonVersion>;
  /** Whether the daemon uses containerd's image store: images as they were pulled, with all platforms and compressed blobs. Else it has unpacked layers. */
  usesContainerdStore(options?: CallOptions): Promise<boolean>;
  /** Finds an image by name, id or the beginning of an id. Returns `undefined` if there is none. */
  inspectImage(name: string, options?: CallOptions): Promise<DaemonImageDetails | undefined>;
  /** With `all`, also lists images that exist only for the build cache. */
  listImages(options?: CallOptions & { readonly all?: boolean }): Promise<readonly DaemonImage[]>;
  /** The archive of `docker save`. Errors: MANIFEST_UNKNOWN, BROKEN_OFF. */
  save(names: readonly string[], options?: CallOptions): Promise<Bytes>;
  /** Does `docker load`. After a failure, it is up to the daemon what has been loaded. Errors: SERVER_ERROR, NO_SPACE, the archive's. */
  load(archive: Bytes, options?: CallOptions): Promise<void>;
  /** Errors: MANIFEST_UNKNOWN. */
  tag(image: string, name: Reference, options?: CallOptions): Promise<void>;
  /** Returns false if it did not exist. Errors: SERVER_ERROR (a container uses it). */
  removeImage(name: string, options?: CallOptions & { readonly force?: boolean }): Promise<boolean>;
  /** Lists all containers, including those that do not run. */
  listContainers(options?: CallOptions): Promise<readonly DaemonContainer[]>;
  /** The output of `docker inspect` for a container. Returns `undefined` if there is none. */
  inspectContainer(name: string, options?: CallOptions): Promise<decode.Json | undefined>;
  /** Removes a container with its anonymous volumes, even if it runs. Returns false if it did not exist. */
  removeContainer(id: string, options?: CallOptions): Promise<boolean>;
}

/** Returns `undefined` if no daemon is named and none listens at the usual addresses. Errors: UNSUPPORTED, CONFIG_INVALID, and those of `ping`. */
export async function dockerDaemon(settings: DaemonSettings): Promise<DockerDaemon | undefined> {
  const endpoint = await daemonEndpoint(settings);
  if (!endpoint) return undefined;
  const daemon = openDaemon(endpoint, settings);
  try {
    await daemon.ping(settings.signal && { signal: settings.signal });
    return daemon;
  } catch (error) {
    daemon[Symbol.dispose]();
    // The socket remains from a daemon that was stopped.
    if (!endpoint.named && isImagesError(error, 'NOT_RUNNING')) return undefined;
    throw error;
  }
}

/** Like `dockerDaemon`, but the daemon is optional: returns `undefined`, and tells `onNote` why. */
export async function dockerDaemonIfUsable(
  settings: DaemonSettings & { readonly onNote?: (text: string) => void },
): Promise<DockerDaemon | undefined> {
  try {
    return await dockerDaemon(settings);
  } catch (error) {
    if (!isImagesError(error)) throw error;
    settings.onNote?.(`the Docker daemon is left out: ${error.message}`);
    return undefined;
  }
}

function openDaemon(...endpoint: Parameters<typeof connectDaemon>): DockerDaemon {
  const connection = connectDaemon(...endpoint);
  let containerd: Promise<boolean> | undefined;
  return {
    address: connection.address,
    ping: (options) => connection.ping(options),
    usesContainerdStore(options) {
      containerd ??= connection.json({ method: 'GET', path: '/info', ...options }).then(isContainerdStore);
      containerd.catch(() => {
        containerd = undefined;
      });
      return containerd;
    },
    async inspectImage(name, options) {
      const path = `/images/${pathPart(name)}/json`;
      const found = await connection.json({ method: 'GET', path, accept: [404], ...options });
      return found === undefined ? undefined : decodeDetails(found);
    },
    async listImages({ all, ...options } = {}) {
      const query = all ? { all: '1' } : {};
      const found = await connection.json({ method: 'GET', path: '/images/json', query, ...options });
      return decode.array(found, 'images').map(decodeImage);
    },
    async save(names, options) {
      const query = names.map((name) => `names=${encodeURIComponent(name)}`).join('&');
      return (await connection.send({ method: 'GET', path: `/images/get?${query}`, ...options })).body;
    },
    async load(archive, options) {
      const headers = { 'content-type': 'application/x-tar' };
      const request = { method: 'POST', path: '/images/load', headers, body: archive, ...options } as const;
      await readLoadAnswer((await connection.send(request)).body);
    },
    async tag(image, { tag, digest, ...repository }, options) {
      const query = { repo: formatReference(repository), tag };
      const request = { method: 'POST', path: `/images/${pathPart(image)}/tag`, query, ...options } as const;
      (await connection.send(request)).discard();
    },
    removeImage: (name, { force, ...options } = {}) =>
      remove(`/images/${pathPart(name)}`, { force: force ? '1' : undefined }, options),
    async listContainers(options) {
      const found = await connection.json({ method: 'GET', path: '/containers/json', query: { all: '1' }, ...options });
      return decode.array(found, 'containers').map(decodeContainer);
    },
    async inspectContainer(name, options) {
      const path = `/containers/${pathPart(name)}/json`;
      const found = await connection.json({ method: 'GET', path, accept: [404], ...options });
      return found === undefined ? undefined : decode.object(found, 'container');
    },
    removeContainer: (id, options) => remove(`/containers/${pathPart(id)}`, { force: '1', v: '1' }, options),
    [Symbol.dispose]: () => connection[Symbol.dispose](),
  };

  async function remove(
    path: string,
    query: Readonly<Record<string, string | undefined>>,
    options: CallOptions | undefined,
  ): Promise<boolean> {
    const answer = await connection.send({ method: 'DELETE', path, query, accept: [404], ...options });
    answer.discard();
    return answer.status !== 404;
  }
}

/** Encodes a name for a path. The slashes of a name are kept; other characters that could end the path do not occur in names. */
function pathPart(name: string): string {
  return encodeURIComponent(name).replaceAll('%2F', '/').replaceAll('%3A', ':').replaceAll('%40', '@');
}

/** Since Docker 23, the driver status names containerd's store. For other stores it describes the storage driver. */
function isContainerdStore(info: unknown): boolean {
  const status = decode.isObject(info) ? info.DriverStatus : undefined;
  if (!Array.isArray(status)) return false;
  return status.some(
    (pair) => Array.isArray(pair) && pair[0] === 'driver-type' && String(pair[1]).startsWith('io.containerd.'),
  );
}

function decodeImage(value: unknown): DaemonImage {
  const fields = decode.object(value, 'image');
  const id = decode.string(fields.Id, 'image.Id');
  if (!isDigest(id)) throw new ImagesError('BAD_ANSWER', `the Docker daemon names no image id [${id}]`);
  const texts = (name: string) =>
    (decode.optional(fields[name], `image.${name}`, decode.strings) ?? []).filter((text) => !text.includes('<none>'));
  return {
    id,
    tags: texts('RepoTags'),
    digests: texts('RepoDigests'),
    size: decode.optional(fields.Size, 'image.Size', decode.size) ?? 0,
  };
}

function decodeDetails(value: unknown): DaemonImageDetails {
  const fields = decode.object(value, 'image');
  const rootfs = decode.optional(fields.RootFS, 'image.RootFS', decode.object) ?? {};
  const text = (name: string) => decode.optional(fields[name], `image.${name}`, decode.string);
  const variant = text('Variant');
  return {
    ...decodeImage(value),
    os: text('Os') ?? '',
    architecture: text('Architecture') ?? '',
    ...(variant && { variant }),
    diffIds: (decode.optional(rootfs.Layers, 'image.RootFS.Layers', decode.strings) ?? []).filter(isDigest),
  };
}

function decodeContainer(value: unknown): DaemonContainer {
  const fields = decode.object(value, 'container');
  const text = (name: string) => decode.optional(fields[name], `container.${name}`, decode.string) ?? '';
  const names = decode.optional(fields.Names, 'container.Names', decode.strings) ?? [];
  return { id: text('Id'), name: (names[0] ?? '').replace(/^\//, ''), image: text('Image'), state: text('State') };
}
