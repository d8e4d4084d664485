// What is public of tasks/: the use cases, one for each command that does something with images. They return data and emit typed events.
export { type BootImage, type BootSet, type BootSetRequest, bootSet, type LackingPart } from './cache/boot-set.ts';
export type { CacheOptions } from './cache/cache-images.ts';
export {
  type CacheReferencesOptions,
  type CacheReferencesResult,
  type CacheRequest,
  cacheReferences,
} from './cache/cache-references.ts';
export { type MissingRequest, missingImages, missingOverlayImages } from './cache/missing-images.ts';
export { type PreloadOptions, type PreloadResult, preloadImages } from './cache/preload-images.ts';
export { type CheckedPart, type CheckImageOptions, checkImage } from './look/check-image.ts';
export { type DescribedLayer, describeImage, type ImageDescription } from './look/describe-image.ts';
export { exportImage } from './look/export-image.ts';
export { exportLayers } from './look/export-layers.ts';
export { type DifferencesOptions, imageDifferences } from './look/image-differences.ts';
export { type ImageStory, imageStory, type StoryEvent } from './look/image-story.ts';
export { type ImageUsage, imageUsage, type UsedDirectory, type UsedLayer } from './look/image-usage.ts';
export { type InspectedImage, type Inspection, inspectImage, type LayerData } from './look/inspect-image.ts';
export {
  flatNames,
  type ListedFile,
  type ListFilesOptions,
  type ListImageOptions,
  layerTree,
  listImageFiles,
  listPath,
  noSuchPath,
  requirePath,
} from './look/list-files.ts';
export { type ListedLayer, listLayers } from './look/list-layers.ts';
export { readImageFile } from './look/read-file.ts';
export { layerId, selectLayer } from './look/select-layers.ts';
export { type LoadOptions, type LoadRequest, loadImages } from './make/load-images.ts';
export type { LoadEvents, LoadedNode } from './make/load-nodes.ts';
export { type MadeImages, type MakeImagesOptions, makeImages } from './make/make-images.ts';
export { type MakeItem, type MakeItemOptions, type MakeRequest, makeItems } from './make/make-items.ts';
export { MAKE_FORMATS, type MakeFormat, makeOutput } from './make/make-output.ts';
export { type MadePrepulled, type MakeOptions, makePrepulled, type PrepulledImage } from './make/make-prepulled.ts';
export type { ListedImage, PrepulledPart } from './make/prepulled-parts.ts';
export { checkPrepulled, listPrepulled } from './make/read-prepulled.ts';
export { type MadeAndSent, type MakeAndSendOptions, makeAndSendImage } from './mkimage/make-and-send.ts';
export { type MadeImage, type MakeImageOptions, makeImage } from './mkimage/make-image.ts';
export { type BuiltImageGoal, sendBuiltImage } from './mkimage/send-built-image.ts';
export {
  applyNodeConfig,
  type ChangeNodeOptions,
  type NodeChanges,
  removeNodeConfig,
  runtimesThere,
} from './nodes/apply-node-config.ts';
export { checkNodeConfig, type NodeCheck, type NodeCheckRequest } from './nodes/node-check.ts';
export {
  ALL_RUNTIMES,
  NODE_FORMATS,
  NODE_RUNTIMES,
  type NodeConfigRequest,
  type NodeFormat,
  nodeOutput,
  nodeRequest,
} from './nodes/node-config.ts';
export type { RegistryChoice } from './nodes/node-registry.ts';
export type { NodeChange } from './nodes/node-steps.ts';
export { nodeTar, writeNodeFiles } from './nodes/write-node-files.ts';
export type { ChartValues } from './overlays/chart-values.ts';
export { LIST_RULE } from './overlays/input-images.ts';
export {
  type MaybeImage,
  type OverlayImages,
  type OverlayItems,
  overlayImages,
  requireReferences,
} from './overlays/overlay-images.ts';
export { overlayNames } from './overlays/overlay-names.ts';
export { type FoundOverlay, findOverlay } from './overlays/overlays.ts';
export { pauseImage } from './overlays/pause-image.ts';
export { withoutQuotes } from './overlays/reference-list.ts';
export type { AskedCheck } from './private-registry/ask-health.ts';
export { type CheckedConfig, type ConfigMistake, checkConfig } from './private-registry/check-config.ts';
export { type CheckRegistryOptions, checkRegistry, type RegistryCheck } from './private-registry/check-registry.ts';
export {
  type ChosenImage,
  chooseImages,
  type ImageChoice,
  isImagePattern,
  stillOld,
} from './private-registry/choose-images.ts';
export {
  type CollectedRegistry,
  type CollectRegistryOptions,
  collectRegistry,
} from './private-registry/collect-garbage.ts';
export type { EffectiveSetting } from './private-registry/effective-settings.ts';
export { clearMissed, listMissed } from './private-registry/list-missed.ts';
export { type ListedRepository, listFullNames, listRegistry } from './private-registry/list-registry.ts';
export type { InheritedSocket } from './private-registry/listen-addresses.ts';
export type { RegistryAddress } from './private-registry/local-registry.ts';
export { type LogChoice, logSettings } from './private-registry/log-config.ts';
export { giveToken, listTokens, type MachineTokenRequest, revokeTokens } from './private-registry/machine-tokens.ts';
export { type ListedPin, listPins, pinImages, unpinImages } from './private-registry/pin-images.ts';
export {
  type FoundPrivateImage,
  findImage,
  notLoaded,
  type OpenOptions as OpenRegistryOptions,
  openPrivateRegistry,
  type PrivateRegistry,
} from './private-registry/private-registry.ts';
export type { ProxyOptions, RecordedProxy } from './private-registry/proxy-config.ts';
export { type LogLine, type ReadLogRequest, readRegistryLog } from './private-registry/read-log.ts';
export type { CollectionSchedule, ScrubSchedule } from './private-registry/registry-config.ts';
export { keepLogSmall } from './private-registry/registry-log.ts';
export type { LogPlace, RegistryState } from './private-registry/registry-record.ts';
export { type RegistryService, registryService, type ServiceRequest } from './private-registry/registry-service.ts';
export {
  type RegistrySpace,
  registrySpace,
  type SpaceRequest,
  spaceHistory,
} from './private-registry/registry-space.ts';
export { type CheckedStore, type RegistryStatus, registryStatus } from './private-registry/registry-status.ts';
export { reloadRegistry } from './private-registry/reload-registry.ts';
export { checkRemoval, type RemoveOptions, removeImage, removeImages } from './private-registry/remove-image.ts';
export type { LeftFault } from './private-registry/repair-store.ts';
export { type ServedRegistry, type ServeRequest, serveRegistry } from './private-registry/serve-registry.ts';
export type { TlsOptions } from './private-registry/served-tls.ts';
export type { ServiceFile } from './private-registry/service-units.ts';
export type { AccessOptions } from './private-registry/serving-access.ts';
export type { ObserverOptions } from './private-registry/serving-observers.ts';
export type { ServingOptions } from './private-registry/serving-options.ts';
export type { Reloaded, SettingChange } from './private-registry/serving-record.ts';
export { type PasswordChange, setPassword } from './private-registry/set-password.ts';
export { type ShownConfig, showConfig } from './private-registry/show-config.ts';
export { type StartedRegistry, type StartRequest, startRegistry } from './private-registry/start-registry.ts';
export { type StopRequest, stopRegistry } from './private-registry/stop-registry.ts';
export {
  changeTrust,
  registryAuthority,
  TRUSTING_CLIENTS,
  type TrustChange,
  type TrustRequest,
} from './private-registry/trust-registry.ts';
export { addressForVms, type VmAddress, vmAddress } from './private-registry/vm-address.ts';
export { type WatchedEvent, type WatchRequest, watchRegistry } from './private-registry/watch-registry.ts';
export type {
  BaseEvent,
  DebugEvent,
  Environment,
  ScanChoice,
  Settings,
  TaskCall,
  TaskEvents,
  World,
} from './settings.ts';
export { type CopyOptions, copyImage, type UploadImageOptions, uploadImages } from './transfer/copy-image.ts';
export { flushDocker } from './transfer/flush-docker.ts';
export { type CompressionChoice, parseCompression } from './transfer/layer-compression.ts';
export { type LoggedIn, type LoggedOut, type LoginRequest, logIn, logOut } from './transfer/login.ts';
export { type OpenedSink, type OpenSinkOptions, openSink } from './transfer/open-sink.ts';
export { type OpenedSource, type OpenSourceOptions, openSource, type SourceOrder } from './transfer/open-source.ts';
export { type SavedImages, type SaveOptions, saveImages } from './transfer/save-images.ts';
export type { TransferResult } from './transfer/transfer-result.ts';
export { type ImageTree, type LookOptions, type OpenedImage, openImage, openTree } from './transfer/tree-source.ts';
