// Images as saved by Docker before 1.10: a file `repositories`, and for each layer a directory ID with `json` (which names its parent) and `layer.tar` (moby,
// image/spec/v1.md, "Combined Image JSON + Filesystem Changeset Format"). The config is made from them as in `docker load`.
import { decompressed } from '../../io/compression/decompress.ts';
import { createLimiter } from '../../io/concurrency/limiter.ts';
import { measure } from '../../io/streams/measure.ts';
import * as decode from '../../oci/decode.ts';
import type { Digest } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { MAX_MANIFEST_SIZE } from '../../oci/manifest.ts';
import type { ArchiveFile } from '../archive/archive-file.ts';
import { readSmall } from '../layout/layout-files.ts';
import { type ArchivedImage, assemble, describeLayer, lacking } from './archived-image.ts';
import { REPOSITORIES_FILE } from './docker-manifest.ts';

export interface LegacyHead {
  /** The id of the top layer. */
  readonly id: string;
  /** Names in the form `NAME:TAG`. */
  readonly names: readonly string[];
}

/** Limit of layers: no image has more. */
const MAX_DEPTH = 1000;
const MAX_LISTED = 4 * 1024 * 1024;
/** Fields that describe a layer and not the image. */
const LAYER_FIELDS: readonly string[] = ['id', 'parent', 'parent_id', 'layer_id', 'throwaway', 'Size'];

/** The images of the archive. Without `repositories`, the layers that are no other layer's parent. Errors: MANIFEST_INVALID. */
export async function legacyHeads(archive: ArchiveFile): Promise<readonly LegacyHead[]> {
  const bytes = await readSmall(archive, REPOSITORIES_FILE, MAX_LISTED);
  if (!bytes) return untaggedHeads(archive);
  const heads = new Map<string, string[]>();
  const repositories = decode.object(decode.parseJson(bytes, REPOSITORIES_FILE), REPOSITORIES_FILE);
  for (const [name, value] of Object.entries(repositories)) {
    for (const [tag, id] of Object.entries(decode.stringMap(value, `${REPOSITORIES_FILE}.${name}`))) {
      heads.set(id, [...(heads.get(id) ?? []), `${name}:${tag}`]);
    }
  }
  return [...heads].map(([id, names]) => ({ id, names }));
}

/** Each layer is read once for its diffID. Errors: BLOB_UNKNOWN, MANIFEST_INVALID. */
export async function readLegacyImage(archive: ArchiveFile, id: string): Promise<ArchivedImage> {
  const chain = await readChain(archive, id);
  const layers = await createLimiter(2).map(chain, async (layer) => {
    const path = `${layer.id}/layer.tar`;
    if (!archive.find(path)) throw lacking(archive, path);
    const { digest } = await measure(decompressed(await archive.open(path, 0)));
    return { diffId: digest, blob: await describeLayer(archive, path, digest) };
  });
  const top = chain.at(-1)?.fields ?? {};
  const config = makeConfig(
    top,
    chain.map(({ fields }) => fields),
    layers.map(({ diffId }) => diffId),
  );
  return assemble(
    config,
    layers.map(({ blob }) => blob),
  );
}

interface LegacyLayer {
  readonly id: string;
  readonly fields: decode.Json;
}

/** The layers, the base first. */
async function readChain(archive: ArchiveFile, head: string): Promise<readonly LegacyLayer[]> {
  const chain: LegacyLayer[] = [];
  const seen = new Set<string>();
  for (let id: string | undefined = head; id; ) {
    if (!/^[0-9a-f]{64}$/.test(id)) throw new ImagesError('MANIFEST_INVALID', `not the id of a layer [${id}]`);
    if (seen.has(id) || seen.size === MAX_DEPTH) {
      throw new ImagesError('MANIFEST_INVALID', `the layers' parents have no end [${archive.label}]`);
    }
    seen.add(id);
    const fields = await readLayerJson(archive, id);
    chain.unshift({ id, fields });
    id = decode.optional(fields.parent, `${id}/json.parent`, decode.string);
  }
  return chain;
}

async function readLayerJson(archive: ArchiveFile, id: string): Promise<decode.Json> {
  const path = `${id}/json`;
  const bytes = await readSmall(archive, path, MAX_MANIFEST_SIZE);
  if (!bytes) throw lacking(archive, path);
  return decode.object(decode.parseJson(bytes, path), path);
}

async function untaggedHeads(archive: ArchiveFile): Promise<readonly LegacyHead[]> {
  const ids = [...archive.names()].flatMap((name) => /^([0-9a-f]{64})\/json$/.exec(name)?.[1] ?? []);
  const parents = new Set<unknown>();
  for (const id of ids) parents.add((await readLayerJson(archive, id)).parent);
  return ids.filter((id) => !parents.has(id)).map((id) => ({ id, names: [] }));
}

function makeConfig(top: decode.Json, chain: readonly decode.Json[], diffIds: readonly Digest[]): Uint8Array {
  const kept = Object.entries(top).filter(([key]) => !LAYER_FIELDS.includes(key));
  const fields = {
    ...Object.fromEntries(kept),
    history: chain.map(historyOf),
    rootfs: { type: 'layers', diff_ids: diffIds },
  };
  return Buffer.from(JSON.stringify(Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)))));
}

function historyOf(fields: decode.Json): decode.Json {
  const container = decode.isObject(fields.container_config) ? fields.container_config : {};
  const command = Array.isArray(container.Cmd) ? container.Cmd.join(' ') : '';
  return {
    ...(fields.created !== undefined && { created: fields.created }),
    ...(fields.author ? { author: fields.author } : {}),
    ...(command && { created_by: command }),
    ...(fields.comment ? { comment: fields.comment } : {}),
  };
}
