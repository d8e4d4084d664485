// The public face of registry/: the registry contract, its HTTP client, and policies (functions Registry → Registry).
export type { PasswordLogin } from './client/config/credential-helper.ts';
export type { KeptCredentials } from './client/config/kept-credentials.ts';
export { type ClientSettingsSources, readClientSettings } from './client/config/read-client-settings.ts';
export { type RegistryClients, registryClients } from './client/registry-clients.ts';
export type {
  ClientDecision,
  ClientSettings,
  ClientTimeouts,
  Credentials,
  CredentialsProvider,
  Endpoint,
  HostRule,
  Mirror,
  RetryEvent,
} from './client/settings.ts';
export type {
  AppendOptions,
  BlobContent,
  BlobOptions,
  DeleteOptions,
  GrowingBlob,
  ImageReader,
  ListOptions,
  PulledBy,
  ReadOptions,
  ReferrerOptions,
  Registry,
  RegistryLister,
  RegistryReader,
  RegistryWriter,
  StatOptions,
  Upload,
  UploadOptions,
  WriteBlobOptions,
} from './contract.ts';
export { forgettingNames } from './policies/forgetting-names.ts';
export { FORWARD, forwarding, type Policy } from './policies/forwarding.ts';
export type { NameRecord, NameRecords } from './policies/full-names.ts';
export { hostNames } from './policies/host-names.ts';
export { type ImageGlob, parseImageGlob } from './policies/image-glob.ts';
export { immutableTags } from './policies/immutable-tags.ts';
export { readOnly } from './policies/read-only.ts';
export { type RegistryCall, told } from './policies/told.ts';
