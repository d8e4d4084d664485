// What a directory is built as: a Dockerfile with its text, or a manifest.json with the image's name, version and command.
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
  /** The manifest.json; it makes the directory's Dockerfile count for nothing. */
  readonly manifest?: string;
  /** The Dockerfile. */
  readonly file?: string;
}

const MAX_TEXT = 4 << 20;

/** Errors: PATH_UNKNOWN where there is neither, DOCKERFILE_INVALID, CONFIG_INVALID for a manifest.json that does not say what is needed. */
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
  // The archive is the only layer: what a Dockerfile of three lines says.
  const text = ['FROM scratch', 'ADD ovl.tar /', ...(exec.length > 0 ? [`CMD ${JSON.stringify(exec)}`] : [])].join(
    '\n',
  );
  return { kind: 'manifest', path, name, dockerfile: parseDockerfile(`${path} as a Dockerfile`, text) };
}

/**
 * What the manifest.json of a directory calls the image, whatever it is built by: `undefined` where there is none, or it is no image's (web applications have a
 * manifest.json too). Errors: CONFIG_INVALID for one of an image that does not say what is needed.
 */
export async function manifestName(directory: string): Promise<Reference | undefined> {
  const path = join(directory, 'manifest.json');
  if (!(await kindOf(path))?.isFile()) return undefined;
  const text = await textOf(path);
  return isOfImage(text) ? readManifest(path, text).name : undefined;
}

/** By what only those of images have. */
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

/** `name`, the label `version` (the tag), `app.exec` (the command). */
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

/** Old files may hold another encoding, in comments and names of people most of all: that is said, and no reason to refuse them. */
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
