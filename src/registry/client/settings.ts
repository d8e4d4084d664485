// What the client is told instead of looking around itself: credentials, hosts, proxies, limits. Everything is asked for late, when a request needs it.
import type { Backoff } from '../../io/concurrency/backoff.ts';
import type { HttpTimeouts } from '../../io/http/http.ts';
import type { TlsFiles } from '../../io/http/http-agents.ts';
import type { ProxySettings } from '../../io/http/proxy.ts';

/** What a host is convinced with. Secrets: never in messages. */
export type Credentials = (
  | { readonly type: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token (`identitytoken` in Docker's file). */
  | { readonly type: 'identity-token'; readonly token: string }
  /** A finished bearer token (`registrytoken`). */
  | { readonly type: 'registry-token'; readonly token: string }
) & {
  /** For messages: the file that they stand in, or the helper and the file that names it. */
  readonly origin?: string;
};

export interface CredentialsProvider {
  /** Asked after a host said 401, not before. `repository` decides where a file has entries for parts of a host. Errors: CONFIG_INVALID. */
  find(host: string, repository: string | undefined): Promise<Credentials | undefined>;
  /** Where it looks, for hints. */
  readonly places: readonly string[];
}

/** One place at which a repository is asked for. */
export interface Endpoint {
  /** To connect to: `registry-1.docker.io`, `[fd00::1]:5000`. */
  readonly host: string;
  /** Without it https; for insecure hosts https with any certificate, then http. */
  readonly scheme?: 'http' | 'https';
  /** Any certificate will do, and so will plain http. */
  readonly insecure?: boolean;
  /** What stands before a repository's path in URLs: `/v2` unless a mirror lives elsewhere. */
  readonly root?: string;
  /** A repository's name begins with `from` at the host asked for, and with `to` here. */
  readonly rename?: { readonly from: string; readonly to: string };
}

export interface Mirror extends Endpoint {
  /** Which references it is asked for. */
  readonly pulls: 'all' | 'by-digest' | 'by-tag';
  /** Whether it serves many hosts and is told the one meant, as `?ns=HOST`. */
  readonly namespace?: boolean;
}

/** Where a repository of a host is read (the mirrors in order, then the host itself) and written (the host itself). */
export interface HostRule {
  readonly mirrors: readonly Mirror[];
  /** `undefined`: the host itself is never asked. */
  readonly upstream: Endpoint | undefined;
  /** The file that forbids the host. */
  readonly blockedBy?: string;
}

export interface RetryEvent {
  readonly host: string;
  readonly what: string;
  /** Milliseconds until the next attempt. */
  readonly after: number;
  readonly why: string;
}

export interface ClientSettings {
  /** Where a blob waits that is handed out when it is verified, and not before. */
  readonly temporaryDirectory: string;
  readonly credentials?: CredentialsProvider;
  /** `undefined`: nothing is configured for it. Errors: CONFIG_INVALID. */
  readonly hostRule?: (host: string, repository: string | undefined) => Promise<HostRule | undefined>;
  /** Whether a file speaks of this very host: then others may lead to it in a private network. Errors: CONFIG_INVALID, FILE_UNREADABLE. */
  readonly namesHost?: (host: string) => Promise<boolean>;
  /** Errors: CONFIG_INVALID, FILE_UNREADABLE. */
  readonly tlsFiles?: (host: string) => Promise<TlsFiles>;
  readonly proxies?: ProxySettings;
  /** `host[:port]`, or with `http://` or `https://`: plain http is tried first where no scheme is given; no proxy, no mirror. */
  readonly privateHosts?: readonly string[];
  /** Requests under way at one host, bodies of blobs aside (who copies limits these); 8 when absent. */
  readonly requestsPerHost?: number;
  readonly timeouts?: Partial<ClientTimeouts>;
  readonly backoff?: Backoff;
  /** For the User-Agent header: `images/1.2.3`. */
  readonly userAgent?: string;
  readonly onRetry?: (event: RetryEvent) => void;
}

export interface ClientTimeouts extends HttpTimeouts {
  /** Milliseconds for the answer to an upload's end: registries move or hash the blob before it. */
  readonly commit: number;
  /** Milliseconds for a mount, which only spares work: then the bytes are sent. */
  readonly mount: number;
}
