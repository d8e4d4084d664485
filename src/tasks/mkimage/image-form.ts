// What a directory is built from: a Dockerfile with its text, or a manifest.json with the image's name, version and command.
import { isUtf8 } from 'node:buffer';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Dockerfile, parseDockerfile } from '../../build/dockerfile/parse.ts';
import * as decode from '../../oci/decode.ts';
import { ImagesError } from '../../oci/errors.ts';
import { parseReference, type Reference } from '../../oci/reference.ts';

export type ImageForm =
  | { readonly kind: 'dockerfile'; readonly path: string; readonly dockerfile: Dockerfile }
  | { readonly kind: 'manifest'; readonly path: string; readonly dockerfile: Dockerfile; readonly name: Reference };

export interface FormOptions {
  /** The path of the manifest.json. If it is given, the directory's Dockerfile is ignored. */
  readonly manifest?: string;
  /** The path of the Dockerfile. */
  readonly file?: string;
}

const MAX_TEXT = 4 << 20;

/** Errors: PATH_UNKNOWN (neither exists), DOCKERFILE_INVALID, CONFIG_INVALID (a manifest.json without a required field). */
export async function readImageForm(directory: string, options: FormOptions): Promise<ImageForm> {
  if (!(await kindOf(directory))?.isDirectory()) {
    throw new ImagesError('PATH_UNKNOWN', `no such directory [${directory}]`, {
      hint: 'It holds the `tar` script and a Dockerfile, or a manifest.json.',
    });
  }
  if (options.manifest === undefined) {
    const path = options.file ?? join(directory, 'Dockerfile');
    if (options.file !== undefined || (await kindOf(path))) {
      return { kind: 'dockerfile', path, dockerfile: await readDockerfile(path) };
    }
  }
  const path = options.manifest ?? join(directory, 'manifest.json');
  if (options.manifest === undefined && !(await kindOf(path))) {
    throw new ImagesError('PATH_UNKNOWN', `neither a Dockerfile nor a manifest.json [${directory}]`, {
      hint: 'One of them says what the image is.',
    });
  }
  const { name, exec } = readManifest(path, await textOf(path));
  // The archive is the only layer: equivalent to a Dockerfile with three lines.
  const text = ['FROM scratch', 'ADD ovl.tar /', ...(exec.length > 0 ? [`CMD ${JSON.stringify(exec)}`] : [])].join(
    '\n',
  );
  return { kind: 'manifest', path, name, dockerfile: parseDockerfile(`${path} as a Dockerfile`, text) };
}

/**
 * The image's name in a directory's manifest.json, also if it is built from a Dockerfile. Returns `undefined` if there is none, or if it does not describe an
 * image (web applications have a manifest.json too). Errors: CONFIG_INVALID if it describes an image but lacks a required field.
 */
export async function manifestName(directory: string): Promise<Reference | undefined> {
  const path = join(directory, 'manifest.json');
  if (!(await kindOf(path))?.isFile()) return undefined;
  const text = await textOf(path);
  return isOfImage(text) ? readManifest(path, text).name : undefined;
}

/** Recognised by keys that only an image's manifest.json has. */
function isOfImage(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return decode.isObject(value) && ['acKind', 'acVersion', 'labels', 'app'].some((key) => value[key] !== undefined);
  } catch {
    return false;
  }
}

interface ManifestForm {
  readonly name: Reference;
  readonly exec: readonly string[];
}

/** Reads `name`, the label `version` (the tag) and `app.exec` (the command). */
function readManifest(path: string, text: string): ManifestForm {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(path, 'that is no JSON', cause);
  }
  if (!decode.isObject(value)) throw invalid(path, 'no object');
  const { name, labels, app } = value;
  if (typeof name !== 'string' || name === '') throw invalid(path, 'without a name');
  const version = (Array.isArray(labels) ? labels : [])
    .filter(decode.isObject)
    .find((label) => label.name === 'version')?.value;
  if (typeof version !== 'string' || version === '') throw invalid(path, 'without a label `version`, which is the tag');
  const exec = decode.isObject(app) ? app.exec : undefined;
  if (exec !== undefined && !(Array.isArray(exec) && exec.every((each) => typeof each === 'string'))) {
    throw invalid(path, 'with an app.exec that is no list of strings');
  }
  return { name: parseReference(`${name}:${version}`), exec: exec ?? [] };
}

function invalid(path: string, what: string, cause?: unknown): ImagesError {
  return new ImagesError('CONFIG_INVALID', `a manifest ${what} [${path}]`, {
    hint: 'It has "name", "labels": [{"name": "version", "value": TAG}] and "app": {"exec": [COMMAND, …]}.',
    ...(cause !== undefined && { cause }),
  });
}

async function kindOf(path: string) {
  return await stat(path).catch(() => undefined);
}

/** Old files may have another encoding, mostly in comments and names of people. That gives a warning and no error. */
async function readDockerfile(path: string): Promise<Dockerfile> {
  const bytes = await bytesOf(path);
  if (bytes[0] === 0xff || bytes[0] === 0xfe || bytes[1] === 0) {
    throw new ImagesError('FILE_UNREADABLE', `in UTF-16, not UTF-8 [${path}]`, {
      hint: `iconv -f UTF-16 -t UTF-8 ${path}`,
    });
  }
  const dockerfile = parseDockerfile(path, bytes.toString());
  if (isUtf8(bytes)) return dockerfile;
  const lines = bytes.toString('latin1').split('\n');
  const line = lines.findIndex((text) => !isUtf8(Buffer.from(text, 'latin1'))) + 1;
  const message = 'not UTF-8, here at least: such bytes become \ufffd in the image';
  return { ...dockerfile, warnings: [...dockerfile.warnings, { line, rule: 'NotUtf8', message }] };
}

async function textOf(path: string): Promise<string> {
  return (await bytesOf(path)).toString();
}

async function bytesOf(path: string): Promise<Buffer> {
  const info = await kindOf(path);
  if (info && info.size > MAX_TEXT) throw new ImagesError('FILE_UNREADABLE', `larger than 4 MiB [${path}]`);
  return await readFile(path);
}
