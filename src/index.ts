// The library: the tasks that the commands are made of, and the seams they stand on. Nothing here prints, exits or reads the environment.

export type { CopyEvent, OnCopyEvent } from './copy/events.ts';
export { type CopyResult, executePlan } from './copy/execute.ts';
export { type CopyImage, type CopyPlan, planCopy } from './copy/plan.ts';
export type { Descriptor } from './oci/descriptor.ts';
export { type Digest, digestOf, isDigest } from './oci/digest.ts';
export { type ErrorCode, ImagesError, isImagesError } from './oci/errors.ts';
export { decodeManifest, type Manifest, type RawManifest, rawManifest } from './oci/manifest.ts';
export { formatPlatform, type Platform, type PlatformChoice, parsePlatformChoice } from './oci/platform.ts';
export {
  type FullReference,
  formatReference,
  fullReference,
  parseReference,
  type Reference,
} from './oci/reference.ts';
export { readClientSettings } from './registry/client/config/read-client-settings.ts';
export { type RegistryClients, registryClients } from './registry/client/registry-clients.ts';
export type { ClientSettings } from './registry/client/settings.ts';
export type { Registry } from './registry/contract.ts';
export type { FilePosition, Finding, ScanResult, Warning } from './scan/contract.ts';
export { imagesOf } from './scan/images.ts';
export { scan } from './scan/scan.ts';
export { parseListenAddress } from './server/address.ts';
export { type RunningServer, type ServeOptions, serve } from './server/listen.ts';
export { type EmbeddedStore, openEmbeddedStore } from './storage/embedded-store.ts';
export { type CacheOptions, cacheImages } from './tasks/cache/cache-images.ts';
export { cacheReferences } from './tasks/cache/cache-references.ts';
export { missingImages } from './tasks/cache/missing-images.ts';
export { type PreloadOptions, type PreloadResult, preloadImages } from './tasks/cache/preload-images.ts';
export { type Inspection, inspectImage } from './tasks/look/inspect-image.ts';
export { type MakeItem, type MakeRequest, makeItems } from './tasks/make/make-items.ts';
export { type MadePrepulled, type MakeOptions, makePrepulled } from './tasks/make/make-prepulled.ts';
export type { ListedImage, PrepulledPart } from './tasks/make/prepulled-parts.ts';
export { checkPrepulled, listPrepulled } from './tasks/make/read-prepulled.ts';
export type { ChartValues } from './tasks/overlays/chart-values.ts';
export { type OverlayImages, type OverlayItems, overlayImages } from './tasks/overlays/overlay-images.ts';
export { type ListedRepository, listFullNames, listRegistry } from './tasks/private-registry/list-registry.ts';
export { findImage, openPrivateRegistry, type PrivateRegistry } from './tasks/private-registry/private-registry.ts';
export { type RegistryStatus, registryStatus } from './tasks/private-registry/registry-status.ts';
export { removeImage } from './tasks/private-registry/remove-image.ts';
export { type ServedRegistry, serveRegistry } from './tasks/private-registry/serve-registry.ts';
export { type VmAddress, vmAddress } from './tasks/private-registry/vm-address.ts';
export type { Settings } from './tasks/settings.ts';
export type { TransferResult } from './tasks/transfer/transfer-result.ts';
export type { ImageSink, ImageSource } from './transports/contract.ts';
export { registrySink } from './transports/registry-sink.ts';
export { registrySource } from './transports/registry-source.ts';
