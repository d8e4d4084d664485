// What is public of oci/: names, digests, descriptors, manifests, configs and platforms as types with their decoders, and the error class. Pure.
export { decodeConfig, type HistoryEntry, type ImageConfig } from './config.ts';
export { cosignTags } from './cosign-tags.ts';
export type { Json } from './decode.ts';
export type { Descriptor } from './descriptor.ts';
export {
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  digestHex,
  digestOf,
  isDigest,
  parseDigest,
} from './digest.ts';
export { type CodeAnswer, type CodeMeaning, OTHER_ERRORS, POLICY_ERROR, REGISTRY_ERRORS } from './error-codes.ts';
export type { FailedPart, MessageParts } from './error-message.ts';
export {
  type ErrorCode,
  type ErrorDetails,
  type FailedRequest,
  ImagesError,
  isImagesError,
  type OtherErrorCode,
  type PolicyErrorCode,
  type RegistryErrorCode,
  type TextPosition,
} from './errors.ts';
export { machinePlatform } from './machine-platform.ts';
export {
  decodeManifest,
  type ImageManifest,
  type Index,
  MAX_MANIFEST_SIZE,
  type Manifest,
  manifestDescriptor,
  type RawManifest,
  rawManifest,
  type Successors,
  successors,
  verifyBytes,
} from './manifest.ts';
export {
  DOCKER_CONFIG,
  DOCKER_LAYER_GZIP,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  isConfigType,
  isIndexType,
  isLayerType,
  isManifestType,
  OCI_CONFIG,
  OCI_EMPTY,
  OCI_INDEX,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  OCI_MANIFEST,
} from './media-types.ts';
export {
  formatPlatform,
  normalisePlatform,
  type Platform,
  type PlatformChoice,
  parsePlatform,
  parsePlatformChoice,
  platformSuits,
} from './platform.ts';
export {
  canonicalHost,
  DEFAULT_HOST,
  DEFAULT_TAG,
  type FullReference,
  formatReference,
  fullReference,
  parseReference,
  type Reference,
  tryParseReference,
} from './reference.ts';
