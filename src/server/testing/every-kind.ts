// One of each kind of content that the specifications allow: what the official conformance suite pushes (distribution-spec, `conformance/`),
// and Docker's types. Every call returns different bytes.
import { randomBytes } from 'node:crypto';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type DigestAlgorithm, digestOf } from '../../oci/digest.ts';
import { manifestDescriptor, type RawManifest, rawManifest } from '../../oci/manifest.ts';
import * as types from '../../oci/media-types.ts';

const ARTIFACT = 'application/vnd.example.thing.v1';
const NON_DISTRIBUTABLE = 'application/vnd.oci.image.layer.nondistributable.v1.tar';

export interface Content {
  readonly blobs: readonly Uint8Array[];
  /** In the order in which they are pushed. The last one gets the tag. */
  readonly manifests: readonly RawManifest[];
}

type Fields = Readonly<Record<string, unknown>>;

interface Part {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

interface Parts {
  readonly config?: Part;
  readonly layers?: readonly Part[];
  /** Further fields of the manifest; those of the same name are replaced. */
  readonly fields?: Fields;
  readonly algorithm?: DigestAlgorithm;
}

export const EVERY_KIND: Readonly<Record<string, () => Content>> = {
  'an image': () => image(),
  'an image with uncompressed layers': () => image({ layers: [part(types.OCI_LAYER), part(types.OCI_LAYER)] }),
  'an image without layers': () => image({ layers: [] }),
  'an image with nearly 4 MiB of annotations': () =>
    image({
      fields: {
        annotations: Object.fromEntries(Array.from({ length: 390 }, (_, at) => [`a${at}`, 'A'.repeat(10_000)])),
      },
    }),
  'an image with non-distributable layers': () => withElsewhere(),
  'an image with data in its descriptors': () => {
    const [config, layer] = [part(types.OCI_CONFIG), part(types.OCI_LAYER_GZIP)];
    return image({ config, layers: [layer], fields: { config: withData(config), layers: [withData(layer)] } });
  },
  'an image with fields of its own': () => image({ fields: { 'org.example': { anything: [1, null] } } }),
  'a Docker image': () =>
    image({
      config: part(types.DOCKER_CONFIG),
      layers: [part(types.DOCKER_LAYER_GZIP)],
      fields: { mediaType: types.DOCKER_MANIFEST },
    }),
  'an artifact': () => image({ config: empty(), layers: [part(ARTIFACT)], fields: { artifactType: ARTIFACT } }),
  'an artifact of nothing': () => image({ config: empty(), layers: [empty()], fields: { artifactType: ARTIFACT } }),
  'an image about a subject that is not there': () => image({ fields: { subject: elsewhere(types.OCI_MANIFEST) } }),
  'an index': () => index([image(), image()]),
  'an index of nothing': () => index([]),
  'an index of indexes': () => index([index([image(), image()]), index([image()])]),
  'an index of artifacts': () =>
    index([image({ config: empty(), fields: { artifactType: ARTIFACT } })], { artifactType: ARTIFACT }),
  'an index with fields of its own': () => index([image()], { 'org.example': 'anything' }),
  'an index about a subject that is not there': () => index([], { subject: elsewhere(types.OCI_INDEX) }),
  'an index that lacks an image': () => index([image()], {}, [elsewhere(types.OCI_MANIFEST)]),
  'a Docker list': () => index([image()], { mediaType: types.DOCKER_LIST }),
  'an index of sha512': () => index([image({ algorithm: 'sha512' }), image({ algorithm: 'sha512' })], {}, [], 'sha512'),
};

function image({ algorithm = 'sha256', ...given }: Parts = {}): Content {
  const config = given.config ?? part(types.OCI_CONFIG, algorithm);
  const layers = given.layers ?? [part(types.OCI_LAYER_GZIP, algorithm), part(types.OCI_LAYER_GZIP, algorithm)];
  const fields = {
    mediaType: types.OCI_MANIFEST,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
    ...given.fields,
  };
  return { blobs: [config, ...layers].map(({ bytes }) => bytes), manifests: [manifest(fields, algorithm)] };
}

function index(
  children: readonly Content[],
  given: Fields = {},
  absent: readonly Descriptor[] = [],
  algorithm: DigestAlgorithm = 'sha256',
): Content {
  const roots = children.flatMap(({ manifests }) => manifests.slice(-1)).map(manifestDescriptor);
  const fields = { mediaType: types.OCI_INDEX, manifests: [...roots, ...absent], ...given };
  return {
    blobs: children.flatMap(({ blobs }) => blobs),
    manifests: [...children.flatMap(({ manifests }) => manifests), manifest(fields, algorithm)],
  };
}

/** Two of its three layers are non-distributable: they are at the URLs in their descriptors, and not in the registry. */
function withElsewhere(): Content {
  const here = part(types.OCI_LAYER_GZIP);
  const layers = [elsewhere(`${NON_DISTRIBUTABLE}+gzip`), elsewhere(NON_DISTRIBUTABLE), here.descriptor];
  return image({ layers: [here], fields: { layers } });
}

function manifest(fields: Fields, algorithm: DigestAlgorithm): RawManifest {
  return rawManifest(Buffer.from(JSON.stringify({ schemaVersion: 2, ...fields })), undefined, algorithm);
}

function part(mediaType: string, algorithm: DigestAlgorithm = 'sha256', bytes: Uint8Array = randomBytes(300)): Part {
  return { descriptor: { mediaType, digest: digestOf(bytes, algorithm), size: bytes.length }, bytes };
}

function empty(): Part {
  return part(types.OCI_EMPTY, 'sha256', Buffer.from('{}'));
}

function elsewhere(mediaType: string): Descriptor & { readonly urls: readonly string[] } {
  const { descriptor } = part(mediaType);
  return { ...descriptor, urls: [`https://store.example.com/${descriptor.digest}`] };
}

function withData({ descriptor, bytes }: Part): Fields {
  return { ...descriptor, data: Buffer.from(bytes).toString('base64') };
}
