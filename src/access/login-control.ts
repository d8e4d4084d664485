// Who asks, and who may: passwords of a file, tokens, and the secret of the store's owner.
import { askerAddress, type Neighbours } from './asker-address.ts';
import { type BcryptThread, startBcryptThread } from './bcrypt-thread.ts';
import type { AccessControl, Asker, RequestHead } from './contract.ts';
import { openHtpasswdFile } from './htpasswd-file.ts';
import { isServiceName, loginChallenge } from './login-challenge.ts';
import { askerOf, createLogins, type Login } from './logins.ts';
import { isFromOwner, type StoreOwner } from './owner-proof.ts';
import { createPasswordCheck } from './password-check.ts';
import type { MayDo } from './permitted.ts';
import { recentAskers } from './recent-askers.ts';
import { parseAuthorization } from './sent-credentials.ts';
import { isForTokens, tokenEndpoint } from './token-endpoint.ts';
import { createTokens, type MachineTokens } from './tokens.ts';

export interface AccessControlOptions {
  readonly mayDo: MayDo;
  /** Without it no user can log in. */
  readonly htpasswd?: { readonly file: string };
  /** 32 bytes, which only this store knows: tokens are signed with it. */
  readonly key: Uint8Array;
  /** The id of this store. */
  readonly issuer: string;
  /** The audience of its tokens; by default the issuer. */
  readonly service?: string;
  /** Without it machines cannot log in. */
  readonly machineTokens?: MachineTokens;
  /** Who proves to know its secret (owner-proof.ts) is the owner, on this machine only. */
  readonly owner?: StoreOwner;
  readonly neighbours: Neighbours;
  /** A sentence for the operator, for example that the file of passwords is broken. */
  readonly onNotice?: (text: string) => void;
  /** In ms since 1970; for tests. */
  readonly now?: () => number;
}

const MOST_RECENT = 1000;

/**
 * Where nobody can log in, credentials are ignored, as docker-registry and zot do without a configured authentication: clients send what they have stored.
 * To be disposed of: it has a thread for passwords. Errors: CONFIG_INVALID and FILE_UNREADABLE, of the file of passwords.
 */
export function createAccessControl(options: AccessControlOptions): Promise<AccessControl & Disposable> {
  return accessControlWith(startBcryptThread, options);
}

/** The same, with a thread that is started in another way: tests have one for many. */
export async function accessControlWith(
  thread: () => BcryptThread,
  options: AccessControlOptions,
): Promise<AccessControl & Disposable> {
  const { mayDo, key, issuer, service = issuer, machineTokens, owner, now = Date.now } = options;
  const { neighbours } = options;
  if (!isServiceName(service)) throw new RangeError('the name of the service cannot stand in a challenge');
  const file =
    options.htpasswd &&
    (await openHtpasswdFile({
      file: options.htpasswd.file,
      now,
      ...(options.onNotice && { onNotice: options.onNotice }),
    }));
  const passwords = file && createPasswordCheck({ users: file.users, now, thread: thread() });
  const tokens = createTokens({
    key,
    issuer,
    service,
    now,
    hashOf: (user) => file?.users().get(user),
    ...(machineTokens && { machines: machineTokens }),
  });
  const logins = createLogins(tokens, passwords);
  const isUser = (name: string): boolean => file?.users().has(name) ?? false;
  const endpoint = tokenEndpoint({ logins, tokens, service, mayDo, isUser, now });
  const canLogIn = (): boolean =>
    file !== undefined || (machineTokens !== undefined && (machineTokens.any?.() ?? true));

  const recent = recentAskers(MOST_RECENT);
  const identifyNow = (authorization: string, address: string): Asker | Promise<Asker> => {
    const known = recent.find(address, authorization);
    if (known) return known;
    const sent = parseAuthorization(authorization);
    if (sent.type === 'none') return { via: 'nobody', address };
    if (sent.type === 'bearer') {
      return tokens.verify(sent.token, ['access', 'machine']).then((content) => {
        const asker = askerOf({ via: 'token', ...content }, address);
        recent.add(asker, authorization, () => tokens.stillHolds(content));
        return asker;
      });
    }
    const login = logins.byPassword(sent.user, sent.password, address);
    const remembered = (known: Login): Asker => {
      const asker = askerOf(known, address);
      if (passwords && known.via === 'password')
        recent.add(asker, authorization, passwords.recall({ ...sent, address }));
      return asker;
    };
    return login instanceof Promise ? login.then(remembered) : remembered(login);
  };

  /** The address is that of the client behind a proxy: it counts for rules, and for wrong passwords. */
  const fromAsker = (head: RequestHead): RequestHead => ({ ...head, address: askerAddress(head, neighbours) });

  return {
    identify: (received) => {
      const address = askerAddress(received, neighbours);
      const { authorization } = received.headers;
      if (authorization === undefined) return { via: 'nobody', address };
      if (owner && neighbours.isLocal(address) && isFromOwner(authorization, owner, now()))
        return { via: 'owner', address };
      if (!canLogIn()) return { via: 'nobody', address };
      const looked = file?.look();
      return looked ? looked.then(() => identifyNow(authorization, address)) : identifyNow(authorization, address);
    },
    mayDo,
    unknown: (head) => {
      const user = userNamedIn(head.headers.authorization);
      return { address: askerAddress(head, neighbours), ...(user !== undefined && isUser(user) && { tried: user }) };
    },
    // A token for nobody is as good as none for all but this question: who has one has been here before.
    hasToLogIn: ({ via, scopes }) => canLogIn() && via === 'nobody' && scopes === undefined,
    challenge: (head, scope) => (canLogIn() ? loginChallenge(head, scope, { service, neighbours }) : undefined),
    refresh: async () => await file?.lookNow(),
    endpoint: (head, body) => {
      if (!isForTokens(head) || !canLogIn()) return undefined;
      return Promise.resolve(file?.look()).then(() => endpoint(fromAsker(head), body));
    },
    [Symbol.dispose]: () => passwords?.[Symbol.dispose](),
  };
}

function userNamedIn(authorization: string | undefined): string | undefined {
  try {
    const sent = parseAuthorization(authorization);
    return sent.type === 'basic' ? sent.user : undefined;
  } catch {
    return undefined;
  }
}
