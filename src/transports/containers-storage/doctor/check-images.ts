// The rules about images: ids, names, big data, and that config, manifest and layers agree.
import { decodeConfig } from '../../../oci/config.ts';
import { digestOf } from '../../../oci/digest.ts';
import { isImagesError } from '../../../oci/errors.ts';
import { decodeManifest, rawManifest } from '../../../oci/manifest.ts';
import { bigDataFile } from '../store-records.ts';
import { type Problem, problem, type Rule } from './problem.ts';
import type { StoreModel } from './store-model.ts';
import type { FoundLayer, RecordedImage } from './stored-records.ts';

export type ReadBytes = (path: string) => Promise<Uint8Array | undefined>;

export async function checkImages(
  images: readonly RecordedImage[],
  {
    layers,
    model,
    read,
  }: { readonly layers: readonly FoundLayer[]; readonly model: StoreModel; readonly read: ReadBytes },
): Promise<ReadonlyMap<string, readonly Problem[]>> {
  const byId = new Map(layers.map((layer) => [layer.id, layer]));
  const found = new Map<string, readonly Problem[]>();
  for (const image of images) {
    const problems: Problem[] = [];
    const add = (rule: Rule, text: string): void => {
      problems.push(problem(rule, text));
    };
    if (found.has(image.id)) add('image-id', 'two images have this id');
    checkNames(image, images, add);
    const data = await readBigData(image, read, add);
    const chain = chainOf(image, byId, add);
    checkParts(image, { data, chain, add });
    found.set(image.id, [...(found.get(image.id) ?? []), ...problems]);
  }
  found.set('', orphans(images, model));
  return found;
}

type Add = (rule: Rule, text: string) => void;

function checkNames({ id, names }: RecordedImage, images: readonly RecordedImage[], add: Add): void {
  for (const name of names) {
    if (images.some((other) => other.id !== id && other.names.includes(name))) {
      add('image-id', `another image has its name too [${name}]`);
    }
  }
}

async function readBigData(image: RecordedImage, read: ReadBytes, add: Add): Promise<ReadonlyMap<string, Uint8Array>> {
  const all = new Map<string, Uint8Array>();
  for (const [name, { size, digest }] of image.data) {
    const bytes = await read(`overlay-images/${image.id}/${bigDataFile(name)}`);
    if (!bytes) {
      add('big-data', `${name} is not there`);
      continue;
    }
    all.set(name, bytes);
    if (size !== bytes.length) add('big-data', `${name} has ${bytes.length} bytes, images.json says ${size}`);
    const real = digestOf(bytes);
    if (digest !== real) add('big-data', `${name} has the digest ${real}, images.json says ${digest}`);
    const named = /^manifest-(sha256:.*)$/.exec(name)?.[1];
    if (named !== undefined && named !== real) add('big-data', `${name} has the digest ${real}`);
  }
  return all;
}

/** The layers of an image, the base first. */
function chainOf(image: RecordedImage, byId: ReadonlyMap<string, FoundLayer>, add: Add): readonly FoundLayer[] {
  const chain: FoundLayer[] = [];
  for (let id = image.layer; id !== undefined; ) {
    const layer = byId.get(id);
    if (!layer || chain.includes(layer)) {
      add('chain', layer ? `its layers lead in a circle [${id}]` : `a layer of it is not there [${id}]`);
      break;
    }
    chain.unshift(layer);
    id = layer.parent;
  }
  return chain;
}

interface Parts {
  readonly data: ReadonlyMap<string, Uint8Array>;
  readonly chain: readonly FoundLayer[];
  readonly add: Add;
}

function checkParts(image: RecordedImage, { data, chain, add }: Parts): void {
  const configName = `sha256:${image.id}`;
  const config = data.get(configName);
  const manifest = data.get('manifest');
  if (!config) add('big-data', `its config is not there [${configName}]`);
  else if (digestOf(config) !== configName) add('image-id', `its config has the digest ${digestOf(config)}`);
  if (!manifest) add('big-data', 'its manifest is not there');
  if (image.digest === undefined) add('big-data', 'it has no digest');
  else if (!data.has(`manifest-${image.digest}`)) add('big-data', `manifest-${image.digest} is not there`);
  attempt(add, () => {
    if (!config) return;
    const { diffIds } = decodeConfig(config);
    const real = chain.map(({ diffDigest }) => diffDigest);
    if (diffIds.length !== real.length)
      add('chain', `the config names ${diffIds.length} layers, there are ${real.length}`);
    else if (diffIds.some((diffId, at) => real[at] !== undefined && diffId !== real[at])) {
      add('chain', 'the config names other layers');
    }
  });
  attempt(add, () => {
    if (!manifest) return;
    const decoded = decodeManifest(rawManifest(manifest));
    if (decoded.kind !== 'image') add('big-data', 'its manifest is an index');
    else if (decoded.config.digest !== configName)
      add('image-id', `its manifest names the config ${decoded.config.digest}`);
  });
}

function attempt(add: Add, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!isImagesError(error)) throw error;
    add('records', error.message);
  }
}

function orphans(images: readonly RecordedImage[], model: StoreModel): readonly Problem[] {
  const known = new Map(images.map((image) => [image.id, new Set([...image.data.keys()].map(bigDataFile))]));
  const problems: Problem[] = [];
  for (const name of model.children('overlay-images')) {
    if (!/^[0-9a-f]{64}$/.test(name)) continue;
    const files = known.get(name);
    if (!files) problems.push(problem('orphan', `overlay-images/${name} is no image of images.json`));
    else {
      for (const file of model.children(`overlay-images/${name}`)) {
        if (!files.has(file)) problems.push(problem('orphan', `overlay-images/${name}/${file} is in no list`));
      }
    }
  }
  return problems;
}
