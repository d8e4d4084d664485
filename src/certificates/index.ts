// The public face of certificates/: an own CA, certificates by name, and what a TLS server needs of them.
export {
  type Authority,
  type AuthorityOptions,
  type Issued,
  openAuthority,
  readAuthority,
} from './authority.ts';
export { authorityFile } from './authority-file.ts';
export type { KeyAndCertificate, OnCertificateNotice, TlsContexts } from './contract.ts';
export type { GivenFiles } from './given.ts';
export { type NameConstraintLists, parseNameConstraints } from './name-constraints.ts';
export type { CertificateName } from './names.ts';
export {
  type AuthorityContextOptions,
  type ContextOptions,
  contextsFromAuthority,
  contextsFromFiles,
} from './server-context.ts';
export {
  installTrust,
  removeTrust,
  SYSTEM_STORES,
  type SystemStore,
  systemStore,
  type TrustFile,
  type TrustingClient,
  type TrustOptions,
  type TrustPlan,
  type TrustState,
  trustPlan,
  trustStateOf,
} from './trust-store.ts';
