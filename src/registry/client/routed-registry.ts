// The registry of a host as it is configured: reads go to its mirrors in order and then to the host, writes go to the host (routes.ts).
import { decodeManifest } from '../../oci/manifest.ts';
import type { Registry } from '../contract.ts';
import { heldBack } from './held-back.ts';
import { requireLength, routedBlob } from './routed-blob.ts';
import { type Route, type Routes, type Routing, routesOf } from './routes.ts';

export function routedRegistry(host: string, routing: Routing): Registry {
  const routes = routesOf(host, routing);
  return {
    ...readsInTurn(routes),
    getBlob: blobsInTurn(routes, routing.temporaryDirectory),
    ...writesToHost(routes),
    partialBytes: async () => 0,
  };
}

type Reads = Pick<Registry, 'getManifest' | 'statManifest' | 'statBlob' | 'tags' | 'referrers'>;

function readsInTurn({ toRead, inTurn }: Routes): Reads {
  const first = async <T>(...turn: Parameters<typeof inTurn<T>>): Promise<T> => (await inTurn(...turn)).result;
  return {
    async getManifest(repository, reference, options) {
      const at = await toRead(repository, reference, options);
      return first(at, async (route, isLast) => {
        const raw = await route.registry.getManifest(route.repository, reference, route.options);
        // An invalid manifest may be valid at the next route.
        if (!isLast) decodeManifest(raw);
        return raw;
      });
    },
    async statManifest(repository, reference, options) {
      const at = await toRead(repository, reference, options);
      const read = (route: Route) => route.registry.statManifest(route.repository, reference, route.options);
      return first(at, read, (found) => found !== undefined);
    },
    async statBlob(repository, digest, options) {
      const at = await toRead(repository, digest, options);
      const read = (route: Route) => route.registry.statBlob(route.repository, digest, route.options);
      return first(at, read, (found) => found !== undefined);
    },
    async *tags(repository, after, options) {
      const at = await toRead(repository, '', options);
      yield* await first(at, (route) => Array.fromAsync(route.registry.tags(route.repository, after, route.options)));
    },
    async *referrers(repository, subject, artifactType, options) {
      const at = await toRead(repository, subject, options);
      const read = (route: Route) =>
        Array.fromAsync(route.registry.referrers(route.repository, subject, artifactType, route.options));
      yield* await first(at, read, (found) => found.length > 0);
    },
  };
}

function blobsInTurn({ toRead, inTurn, note }: Routes, temporaryDirectory: string): Registry['getBlob'] {
  /** Blobs that a mirror has with wrong bytes: `MIRROR DIGEST`. */
  const spoiled = new Set<string>();
  const getBlob: Registry['getBlob'] = async (repository, digest, options = {}) => {
    const { from: _from, to: _to, ...rest } = options;
    const all = await toRead(repository, digest, rest);
    const at = all.filter(({ mirror }, nth) => nth === all.length - 1 || !spoiled.has(`${mirror?.host} ${digest}`));
    const [only] = at;
    if (only && at.length === 1) return only.registry.getBlob(only.repository, digest, { ...options, ...only.options });
    const content = await routedBlob<Route>({
      digest,
      options,
      routes: at,
      open: (some, asked) =>
        inTurn(some, async (route) =>
          requireLength(await route.registry.openBlob(route.repository, digest, { ...asked, ...route.options }), asked),
        ),
      onBroken: note,
      spoil(route, error) {
        if (route === all.at(-1)) return false;
        spoiled.add(`${route.mirror?.host} ${digest}`);
        note(route, error);
        return true;
      },
    });
    return heldBack(content, options, {
      again: () => getBlob(repository, digest, options),
      temporaryDirectory,
    });
  };
  return getBlob;
}

type Writes = Pick<
  Registry,
  | 'putBlob'
  | 'openUpload'
  | 'mountBlob'
  | 'putManifest'
  | 'deleteTag'
  | 'deleteManifest'
  | 'deleteBlob'
  | 'repositories'
>;

/** The catalogue is asked there, too: a mirror has other repositories. */
function writesToHost({ toWrite }: Routes): Writes {
  return {
    async putBlob(repository, blob, open, options) {
      const to = await toWrite(repository);
      await to.registry.putBlob(to.repository, blob, open, options);
    },
    async openUpload(repository, id, options) {
      const to = await toWrite(repository);
      return to.registry.openUpload(to.repository, id, options);
    },
    async mountBlob(repository, digest, from, options) {
      const to = await toWrite(repository);
      const source = from === undefined ? undefined : await toWrite(from).catch(() => undefined);
      // The source is blocked or at another registry: a host can have different rules for its repositories.
      if (from !== undefined && source?.registry !== to.registry) return false;
      return to.registry.mountBlob(to.repository, digest, source?.repository, options);
    },
    async putManifest(repository, manifest, tags, options) {
      const to = await toWrite(repository);
      await to.registry.putManifest(to.repository, manifest, tags, options);
    },
    async deleteTag(repository, tag, options) {
      const to = await toWrite(repository);
      await to.registry.deleteTag(to.repository, tag, options);
    },
    async deleteManifest(repository, digest, options) {
      const to = await toWrite(repository);
      await to.registry.deleteManifest(to.repository, digest, options);
    },
    async deleteBlob(repository, digest, options) {
      const to = await toWrite(repository);
      await to.registry.deleteBlob(to.repository, digest, options);
    },
    async *repositories(after, options) {
      const to = await toWrite();
      yield* to.registry.repositories(after, options);
    },
  };
}
