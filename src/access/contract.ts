// Who asks a registry, and what they may do. The server knows only this file of the room.
import type { IncomingHttpHeaders } from 'node:http';
import type { Bytes } from '../io/streams/bytes.ts';

/** Pulling includes listing; pushing includes mounting and moving tags. */
export type Action = 'pull' | 'push' | 'delete';

export const ACTIONS: readonly Action[] = ['pull', 'push', 'delete'];

/** What a token allows: the actions on the repositories that match the pattern (`*`, `**` and `?` as in image-glob.ts). */
export interface AccessScope {
  readonly repositories: string;
  readonly actions: readonly Action[];
}

/** Who asks. */
export interface Asker {
  /** Absent for those who have not logged in, and for tokens of machines. */
  readonly user?: string;
  /** The IP address, without a zone; IPv4 also where it came as IPv4-mapped IPv6. `proxy:ADDRESS` if only the proxy's is known. */
  readonly address: string;
  /** `owner` has the secret that only the owner of the store's files can read. */
  readonly via: 'nobody' | 'password' | 'token' | 'machine' | 'owner';
  /** For the audit: the name of the token. */
  readonly token?: string;
  /** Of a token. They limit what the rules allow its user; a token of a machine has nothing else. */
  readonly scopes?: readonly AccessScope[];
  /** Of a token for the catalogue: what is shown there beside what `scopes` allow to pull. */
  readonly listed?: readonly AccessScope[];
}

/** What is known of a request before its body is read. */
export interface RequestHead {
  readonly method: string;
  /** As in the request line. */
  readonly url: string;
  readonly headers: Readonly<IncomingHttpHeaders>;
  /** The address of the other end of the connection. */
  readonly address: string;
  /** It came over TLS. */
  readonly isSecure: boolean;
  /** `1.0`, `1.1` or `2.0`. */
  readonly httpVersion?: string;
}

/** Answers requests of its own, outside of `/v2/`. */
export interface AccessReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Of a refusal: as of `UnknownAsker`. */
  readonly tried?: string;
}

/** What is known, for the audit, of who was refused before it was clear who asks. */
export interface UnknownAsker {
  /** As of `Asker`. */
  readonly address: string;
  /** The user whose password was tried. Only users that there are: what else people type there may be a password. */
  readonly tried?: string;
}

export interface AccessControl {
  /** Errors: UNAUTHORIZED (wrong credentials), TOOMANYREQUESTS (wrong ones came too often, or too many wait). */
  identify(head: RequestHead): Asker | Promise<Asker>;
  /** Without a repository: whether it may be done with all of them. */
  mayDo(asker: Asker, action: Action, repository?: string): boolean;
  /** Of a request whose asker is not known, as with wrong credentials. */
  unknown?(head: RequestHead): UnknownAsker;
  /** Whether this asker has to log in before `/v2/` says that all is well, so that `docker login` tries its password. */
  hasToLogIn(asker: Asker): boolean;
  /**
   * The value of `WWW-Authenticate` for a request that was refused because nobody is logged in, or because of wrong credentials. `scope` as in the distribution
   * token specification. Returns `undefined` if nobody can log in.
   */
  challenge(head: RequestHead, scope: string | undefined): string | undefined;
  /** Reads the file of users now; otherwise a change is seen within a second. */
  refresh?(): Promise<void>;
  /** Answers if the request is for the end-point that gives tokens. The body may be of any length. */
  endpoint?(head: RequestHead, body: Bytes): Promise<AccessReply> | undefined;
}
