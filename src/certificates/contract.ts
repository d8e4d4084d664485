// What a TLS server needs of certificates. The server knows only this file of the room, and secure-options.ts.
import type { SecureContext } from 'node:tls';

/** PEM: a private key, and a certificate followed by those that lead to its root. */
export interface KeyAndCertificate {
  readonly key: string;
  readonly certificate: string;
}

/** Disposing stops looking for changes. */
export interface TlsContexts extends Disposable {
  /** For clients that name no host, and for those that name one without a certificate. */
  current(): KeyAndCertificate;
  /** Is told of each later one. */
  onChange(listener: (next: KeyAndCertificate) => void): void;
  /** For a client that names a host (RFC 6066, section 3). `undefined`: the default one. Never throws. */
  contextFor(name: string): Promise<SecureContext | undefined>;
  /** Looks at once whether there is a newer certificate; otherwise this happens every ten seconds. */
  refresh(): Promise<void>;
}

/** What the operator should know: a new certificate that cannot be used, one that cannot be kept. */
export type OnCertificateNotice = (message: string) => void;
