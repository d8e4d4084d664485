// layers.json and images.json of a store that is checked. Everything may be wrong, so nothing is refused.
import * as decode from '../../../oci/decode.ts';
import { type Problem, problem } from './problem.ts';

export interface FoundLayer {
  readonly id: string;
  readonly parent?: string;
  readonly names: readonly string[];
  readonly diffDigest?: string;
  readonly diffSize?: number;
  /** The owners in the layer. Older tools do not record them. */
  readonly uids?: unknown;
  readonly gids?: unknown;
  readonly isIncomplete: boolean;
}

export interface RecordedImage {
  readonly id: string;
  readonly digest?: string;
  readonly names: readonly string[];
  readonly layer?: string;
  readonly created?: string;
  readonly data: ReadonlyMap<string, { readonly size?: number; readonly digest?: string }>;
}

export function foundLayers(bytes: Uint8Array | undefined, problems: Problem[]): readonly FoundLayer[] {
  return readAll(bytes, 'overlay-layers/layers.json', problems, (fields) => ({
    id: decode.string(fields.id, 'id'),
    names: decode.optional(fields.names, 'names', decode.strings) ?? [],
    ...text(fields, 'parent', 'parent'),
    ...text(fields, 'diff-digest', 'diffDigest'),
    ...(typeof fields['diff-size'] === 'number' && { diffSize: fields['diff-size'] }),
    ...(fields.uidset !== undefined && { uids: fields.uidset }),
    ...(fields.gidset !== undefined && { gids: fields.gidset }),
    isIncomplete: decode.isObject(fields.flags) && fields.flags.incomplete === true,
  }));
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
      ...text(fields, 'created', 'created'),
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
