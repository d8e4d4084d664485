// layers.json and images.json of a store that is checked. Everything may be wrong, so nothing is refused.
import * as decode from '../../../oci/decode.ts';
import { type Problem, problem } from './problem.ts';

export const LAYERS_FILE = 'overlay-layers/layers.json';
/** Layers of containers that are not kept after a restart. Most stores do not have this file. */
export const VOLATILE_FILE = 'overlay-layers/volatile-layers.json';

export interface FoundLayer {
  readonly id: string;
  readonly parent?: string;
  readonly names: readonly string[];
  readonly diffDigest?: string;
  readonly diffSize?: number;
  /** Identifies the content of a layer of which a tool fetched only the files that it lacked. Such a layer may have no diff-digest. */
  readonly tocDigest?: string;
  readonly isIncomplete: boolean;
}

export interface RecordedImage {
  readonly id: string;
  readonly digest?: string;
  readonly names: readonly string[];
  readonly layer?: string;
  readonly data: ReadonlyMap<string, { readonly size?: number; readonly digest?: string }>;
}

export function foundLayers(
  bytes: Uint8Array | undefined,
  problems: Problem[],
  path = LAYERS_FILE,
): readonly FoundLayer[] {
  return readAll(bytes, path, problems, (fields) => ({
    id: decode.string(fields.id, 'id'),
    names: decode.optional(fields.names, 'names', decode.strings) ?? [],
    ...text(fields, 'parent', 'parent'),
    ...text(fields, 'diff-digest', 'diffDigest'),
    ...(typeof fields['diff-size'] === 'number' && { diffSize: fields['diff-size'] }),
    ...text(fields, 'toc-digest', 'tocDigest'),
    isIncomplete: decode.isObject(fields.flags) && fields.flags.incomplete === true,
  }));
}

/**
 * The layers into which containers wrote. They belong to no image, so nobody describes their content: they have no digest and no tar-split, and overlayfs
 * leaves its own marks in them.
 */
export function layersOfContainers(
  layers: readonly FoundLayer[],
  images: readonly RecordedImage[],
): ReadonlySet<FoundLayer> {
  const byId = new Map(layers.map((layer) => [layer.id, layer]));
  const used = new Set<string>();
  for (const { layer } of images) {
    for (let id = layer; id !== undefined && !used.has(id); id = byId.get(id)?.parent) used.add(id);
  }
  return new Set(layers.filter((layer) => isUndescribed(layer) && !used.has(layer.id)));
}

function isUndescribed({ diffDigest, tocDigest }: FoundLayer): boolean {
  return diffDigest === undefined && tocDigest === undefined;
}

export function foundImages(bytes: Uint8Array | undefined, problems: Problem[]): readonly RecordedImage[] {
  return readAll(bytes, 'overlay-images/images.json', problems, (fields) => {
    const names = decode.optional(fields['big-data-names'], 'big-data-names', decode.strings) ?? [];
    const sizes = decode.isObject(fields['big-data-sizes']) ? fields['big-data-sizes'] : {};
    const digests = decode.isObject(fields['big-data-digests']) ? fields['big-data-digests'] : {};
    const data = names.map((name) => {
      const [size, digest] = [sizes[name], digests[name]];
      return [
        name,
        { ...(typeof size === 'number' && { size }), ...(typeof digest === 'string' && { digest }) },
      ] as const;
    });
    return {
      id: decode.string(fields.id, 'id'),
      names: decode.optional(fields.names, 'names', decode.strings) ?? [],
      ...text(fields, 'digest', 'digest'),
      ...text(fields, 'layer', 'layer'),
      data: new Map(data),
    };
  });
}

function readAll<T>(
  bytes: Uint8Array | undefined,
  path: string,
  problems: Problem[],
  read: (fields: decode.Json) => T,
): readonly T[] {
  try {
    const list = decode.array(decode.parseJson(bytes ?? new Uint8Array(), path), path);
    return list.map((value, at) => read(decode.object(value, `${path}[${at}]`)));
  } catch (error) {
    problems.push(problem('records', error instanceof Error ? error.message : String(error)));
    return [];
  }
}

function text<K extends string>(fields: decode.Json, name: string, key: K): Partial<Record<K, string>> {
  const value = fields[name];
  return typeof value === 'string' && value !== '' ? ({ [key]: value } as Partial<Record<K, string>>) : {};
}
