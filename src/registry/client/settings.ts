// The client's settings: credentials, hosts, proxies, limits. It looks at nothing itself. Functions are called when a request needs their answer.
import type { Backoff } from '../../io/concurrency/backoff.ts';
import type { HttpTimeouts } from '../../io/http/http.ts';
import type { TlsFiles } from '../../io/http/http-agents.ts';
import type { OnHttpEvent } from '../../io/http/http-event.ts';
import type { ProxySettings } from '../../io/http/proxy.ts';

/** Credentials for a host. They are secrets and never appear in messages. */
export type Credentials = (
  | { readonly type: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token (`identitytoken` in Docker's file). */
  | { readonly type: 'identity-token'; readonly token: string }
  /** A ready bearer token (`registrytoken` in Docker's file). */
  | { readonly type: 'registry-token'; readonly token: string }
) & {
  /** For messages: the file with the credentials, or the helper and the file that names it. */
  readonly origin?: string;
};

export interface CredentialsProvider {
  /** Called after a 401, not before. `repository` matters if a file has entries for parts of a host. Errors: CONFIG_INVALID. */
  find(host: string, repository: string | undefined): Promise<Credentials | undefined>;
  /**
   * What is sent before the host asks, or after: to a registry that is known to be who it seems, and does not ask for what it would know better. Called only where
   * nobody else can listen. Without a port in `host`, `scheme` says which it is: another program may listen on the other one. `refused`: a token of before that the
   * host does not take any more. Errors: CONFIG_INVALID.
   */
  unasked?(
    host: string,
    repository: string | undefined,
    scheme: 'http' | 'https',
    refused?: string,
  ): Promise<Credentials | undefined>;
  /** The files that are searched, for hints. */
  readonly searched: readonly string[];
  /** More of them, for this host alone. */
  searchedFor?(host: string): readonly string[];
}

/** An address at which a repository is found. */
export interface Endpoint {
  /** The address to connect to: `registry-1.docker.io`, `[fd00::1]:5000`. */
  readonly host: string;
  /** Default: https; for insecure hosts https with any certificate, then http. */
  readonly scheme?: 'http' | 'https';
  /** Accepts any certificate, and plain http. */
  readonly insecure?: boolean;
  /** The path in front of a repository's in URLs: `/v2`, unless a mirror has another one. */
  readonly root?: string;
  /** A stranger has chosen the host: it is asked only where it has an address that reaches the world, or if the user has named it (`namesHost`). */
  readonly isStrange?: boolean;
  /** The repository's name begins with `from` at the original host, and with `to` at this endpoint. */
  readonly rename?: { readonly from: string; readonly to: string };
}

export interface Mirror extends Endpoint {
  /** For which references the mirror is asked. */
  readonly pulls: 'all' | 'by-digest' | 'by-tag';
  /** Whether the mirror serves several hosts, and gets the original one as `?ns=HOST`. */
  readonly namespace?: boolean;
}

/** Where a repository is read (mirrors in order, then upstream) and written (upstream). */
export interface HostRule {
  readonly mirrors: readonly Mirror[];
  /** The host itself; `undefined` if it is never asked. */
  readonly upstream: Endpoint | undefined;
  /** The file that blocks the host. */
  readonly blockedBy?: string;
}

export interface RetryEvent {
  readonly host: string;
  readonly what: string;
  /** Milliseconds until the next attempt. */
  readonly after: number;
  readonly why: string;
}

/** Where requests go and with whose word, and why: for who looks for a fault. Hosts as people write them. */
export type ClientDecision =
  /** Whose credentials are sent; `used` is absent if there are none. */
  | {
      readonly type: 'credentials';
      readonly host: string;
      readonly repository?: string;
      readonly used?: string;
      readonly searched: readonly string[];
    }
  /** Several hosts could be asked, in this order; those that rest did not answer lately. */
  | {
      readonly type: 'routes';
      readonly host: string;
      readonly repository: string;
      readonly order: readonly string[];
      readonly resting: readonly string[];
    }
  /** Of several hosts this one has given the answer. */
  | { readonly type: 'answered'; readonly host: string; readonly repository: string; readonly by: string }
  /** Of several hosts this one was left for the next. */
  | { readonly type: 'passed-over'; readonly host: string; readonly by: string; readonly error: Error }
  /** Found out with the first request. */
  | { readonly type: 'scheme'; readonly host: string; readonly scheme: 'http' | 'https' };

export interface ClientSettings {
  /** Where a blob waits that is handed out when it is verified, and not before. */
  readonly temporaryDirectory: string;
  readonly credentials?: CredentialsProvider;
  /** Returns `undefined` if nothing is configured for the host. Errors: CONFIG_INVALID. */
  readonly hostRule?: (host: string, repository: string | undefined) => Promise<HostRule | undefined>;
  /** Whether a file names this very host. Then answers of others may lead to it in a private network. Errors: CONFIG_INVALID, FILE_UNREADABLE. */
  readonly namesHost?: (host: string) => Promise<boolean>;
  /** Whether this host was chosen by a stranger (`Endpoint.isStrange`), as far as no rule names another address for it. */
  readonly isStrange?: (host: string) => boolean;
  /** Errors: CONFIG_INVALID, FILE_UNREADABLE. */
  readonly tlsFiles?: (host: string) => Promise<TlsFiles>;
  readonly proxies?: ProxySettings;
  /** `host[:port]`, or with `http://` or `https://`. Without a scheme, plain http is tried first. No proxies and no mirrors are used. */
  readonly privateHosts?: readonly string[];
  /** Parallel requests to one host, not counting bodies of blobs (the copy engine limits those). Default: 8. */
  readonly requestsPerHost?: number;
  readonly timeouts?: Partial<ClientTimeouts>;
  readonly backoff?: Backoff;
  /** For the User-Agent header: `images/1.2.3`. */
  readonly userAgent?: string;
  readonly onRetry?: (event: RetryEvent) => void;
  readonly onDecision?: (event: ClientDecision) => void;
  readonly onHttp?: OnHttpEvent;
}

export interface ClientTimeouts extends HttpTimeouts {
  /** Milliseconds for the answer to the end of an upload: registries move or hash the blob before they answer. */
  readonly commit: number;
  /** Milliseconds for a mount. After that the bytes are sent. */
  readonly mount: number;
}
