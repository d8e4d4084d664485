// What is public of transports/: the contract of sources and sinks, and each transport's source and sink.

export type { OpenArchiveOptions } from './archive/archive-file.ts';
export { type OciArchiveSinkOptions, ociArchiveSink } from './archive/oci-archive-sink.ts';
export { openOciArchive } from './archive/oci-archive-source.ts';
export type { OciArchiveLocation } from './archive/oci-archive-transport.ts';
export { openStore, type StoreSettings } from './containers-storage/find-store.ts';
export type { StorageDetails, StorageImage, StoreSpec } from './containers-storage/storage-location.ts';
export { type StorageSource, storageSource } from './containers-storage/storage-source.ts';
export type { StorageLocation } from './containers-storage/storage-transport.ts';
export type { LayerContent, StoreFiles } from './containers-storage/store-files.ts';
export type {
  BlobCallOptions,
  ContainedImage,
  ExpectedImage,
  ImageSink,
  ImageSource,
  PlannedParts,
  PutBlobOptions,
  SinkWants,
} from './contract.ts';
export { dirSink } from './dir/dir-sink.ts';
export { dirSource } from './dir/dir-source.ts';
export type { DirLocation } from './dir/dir-transport.ts';
export { type DockerArchiveSinkOptions, dockerArchiveSink } from './docker-archive/docker-archive-sink.ts';
export { type DockerArchive, openDockerArchive, type WantedImage } from './docker-archive/docker-archive-source.ts';
export type { DockerArchiveLocation } from './docker-archive/docker-archive-transport.ts';
export type { DaemonVersion } from './docker-daemon/connection.ts';
export {
  type DaemonContainer,
  type DaemonImage,
  type DaemonImageDetails,
  type DockerDaemon,
  dockerDaemon,
  dockerDaemonIfUsable,
} from './docker-daemon/daemon.ts';
export { dockerDaemonSink } from './docker-daemon/daemon-sink.ts';
export {
  type DaemonImageName,
  type DaemonSource,
  type DaemonSourceOptions,
  openDaemonImage,
} from './docker-daemon/daemon-source.ts';
export type { DaemonLocation } from './docker-daemon/daemon-transport.ts';
export type { DaemonSettings } from './docker-daemon/endpoint.ts';
export type { FlushEvent, FlushResult } from './docker-daemon/flush.ts';
export type { DaemonSinkOptions } from './docker-daemon/load-archive.ts';
export type { LayoutLocation } from './layout/layout-location.ts';
export { type LayoutSinkOptions, ociSink } from './layout/layout-sink.ts';
export { ociSource } from './layout/layout-source.ts';
export type { OciLocation } from './layout/oci-transport.ts';
export { type BareLocation, formatLocation, type Location, type OwnLocation, parseLocation } from './location.ts';
export type { MountSources } from './mount-sources.ts';
export { type ReadableImage, type ReadImageOptions, readImage } from './readable-image.ts';
export { type RegistrySinkOptions, registrySink } from './registry-sink.ts';
export { type RegistrySourceOptions, registrySource } from './registry-source.ts';
export type { DockerLocation } from './registry-transport.ts';
export type {
  FileCallOptions,
  OpenedRegistry,
  RegistryAccess,
  Transport,
  TransportImages,
  TransportOptions,
  TransportSink,
  TransportSource,
} from './transport.ts';
export type { TransportLocation, TransportName } from './transports.ts';
