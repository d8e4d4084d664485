// Before a request is answered: who asks, whether the asker may, and how a refusal is said (RFC 9110, section 11; distribution token specification).
import { isUnknownClient } from '../access/asker-address.ts';
import type { AccessControl, Action, Asker, RequestHead } from '../access/contract.ts';
import { type Asking, asAsking, bytesAsAsking } from '../access/current-asker.ts';
import { LOG_IN, refusalOf } from '../access/permitted.ts';
import { ImagesError, isImagesError } from '../oci/errors.ts';
import { isForOperators, requireOperator } from './operator-pages.ts';
import { errorReply, type Reply } from './reply.ts';
import type { RegistryRequest } from './request.ts';

export interface Gate {
  readonly access: AccessControl;
  readonly head: RequestHead;
  /** Everybody may do it. */
  readonly isOpen?: boolean;
  /** Called when it is known who asks. */
  readonly onAsker?: (asker: Asker) => void;
}

/** Answers as `answer` does, if the asker may; else with 401 and a challenge, or 403. Errors: those of `answer`, TOOMANYREQUESTS. */
export async function throughGate(request: RegistryRequest, gate: Gate, answer: () => Promise<Reply>): Promise<Reply> {
  // For people and probes.
  if (isForEverybody(request) || gate.isOpen) return await answer();
  let asker: Asker | undefined;
  try {
    asker = await gate.access.identify(gate.head);
    gate.onAsker?.(asker);
    return await answerTo(asker, request, gate, answer);
  } catch (error) {
    if (!isImagesError(error, 'UNAUTHORIZED')) throw error;
    const challenge = gate.access.challenge(gate.head, scopeOf(request));
    // Without a way to log in, it is a refusal that no login changes (RFC 9110, section 15.5.4).
    if (challenge === undefined) throw refusedFrom(asker?.address ?? gate.head.address, wantedOf(request), error);
    return errorReply(error, { 'WWW-Authenticate': challenge });
  }
}

async function answerTo(
  asker: Asker,
  request: RegistryRequest,
  { access }: Gate,
  answer: () => Promise<Reply>,
): Promise<Reply> {
  if (isForOperators(request)) requireOperator(asker, access);
  if (request.kind === 'ping' && access.hasToLogIn(asker)) throw new ImagesError('UNAUTHORIZED', 'log in first');
  const wanted = wantedOf(request);
  // Writes use names as they are given, so they can be refused before anything is touched. What a read finds, only the look-up tells.
  if (wanted && wanted.action !== 'pull' && !access.mayDo(asker, wanted.action, wanted.repository)) {
    throw refusalFor(asker, wanted, access);
  }
  const asking: Asking = { asker };
  const refused = (): ImagesError | undefined => {
    // Other spellings of the name may be forbidden: what is missing in a repository that one may use is just missing.
    if (!asking.refused || isToldWhatIsMissing(asker, request, access)) return undefined;
    const { action, repository } = asking.refused;
    return isForAnotherToken(asker, { action, repository }, access)
      ? anotherToken(repository)
      : refusalOf(asker, action, wanted?.repository ?? repository);
  };
  try {
    const reply = withinAsking(asking, await asAsking(asking, answer));
    const isNothing = reply.status === 404 || (asking.refused && isEmptyList(request, reply));
    const refusal = isNothing ? refused() : undefined;
    if (refusal) throw refusal;
    if (asker.via === 'nobody' && isEmptyCatalogue(request, reply) && !mayPullAll(asker, access)) {
      throw new ImagesError('UNAUTHORIZED', 'what is here is shown to those who log in', { hint: LOG_IN });
    }
    return reply;
  } catch (error) {
    if (isImagesError(error, 'NAME_UNKNOWN', 'MANIFEST_UNKNOWN', 'BLOB_UNKNOWN')) throw refused() ?? error;
    throw error;
  }
}

interface Deed {
  readonly action: Action;
  readonly repository: string;
}

function refusalFor(asker: Asker, deed: Deed, access: AccessControl): ImagesError {
  if (isForAnotherToken(asker, deed, access)) return anotherToken(deed.repository);
  return refusalOf(asker, deed.action, deed.repository);
}

function isForEverybody({ kind }: RegistryRequest): boolean {
  return kind === 'about' || kind === 'health' || kind === 'ready';
}

/** What a user may do, and the token was not asked for: clients that are told 401 ask for a token with the scope of the challenge, and come again. */
function isForAnotherToken(asker: Asker, { action, repository }: Deed, access: AccessControl): boolean {
  const { scopes, ...user } = asker;
  if (asker.via !== 'token' || asker.user === undefined || scopes === undefined) return false;
  return access.mayDo(user, action, repository);
}

function anotherToken(repository: string): ImagesError {
  return new ImagesError('UNAUTHORIZED', `the token is not for that [${repository}]`, {
    hint: 'Ask for a token with the scope that is named.',
  });
}

function isToldWhatIsMissing(asker: Asker, request: RegistryRequest, access: AccessControl): boolean {
  const wanted = wantedOf(request);
  if (!wanted) return false;
  if (access.mayDo(asker, wanted.action, wanted.repository)) return true;
  // Before a client pushes a blob it asks whether it is there.
  return request.kind === 'blob-get' && request.head && access.mayDo(asker, 'push', wanted.repository);
}

/** Several ranges are opened one after the other while the reply is sent. */
function withinAsking(asking: Asking, reply: Reply): Reply {
  if (reply.body === undefined || reply.body instanceof Uint8Array) return reply;
  return { ...reply, body: bytesAsAsking(asking, reply.body) };
}

function refusedFrom(address: string, wanted: ReturnType<typeof wantedOf>, cause: Error): ImagesError {
  const what = wanted
    ? `${wanted.action} is not allowed from ${address} [${wanted.repository}]`
    : `not allowed from ${address}`;
  return new ImagesError('DENIED', what, {
    hint: isUnknownClient(address)
      ? 'Whoever runs the registry says with --trusted-proxies which proxies are believed who asks, and with --auth who can log in.'
      : 'Whoever runs the registry says with --write-from from where one may write, and with rules in registry.toml who may do what.',
    cause,
  });
}

/** Referrers of what is not there are none (distribution specification, end-12). */
function isEmptyList(request: RegistryRequest, reply: Reply): boolean {
  if (request.kind !== 'referrer-list' || !(reply.body instanceof Uint8Array)) return false;
  return Buffer.from(reply.body).includes('"manifests":[]');
}

/** Whatever a token for nobody is limited to. */
function mayPullAll({ via, address }: Asker, access: AccessControl): boolean {
  return access.mayDo({ via, address }, 'pull');
}

/** It says nothing of what there is: the same for a registry without repositories, and for one that shows none. */
function isEmptyCatalogue(request: RegistryRequest, reply: Reply): boolean {
  if (request.kind !== 'catalog' || request.page.n === 0 || request.page.last !== undefined) return false;
  return reply.body instanceof Uint8Array && Buffer.from(reply.body).includes('"repositories":[]');
}

/** What a request does with a repository. */
function wantedOf(request: RegistryRequest): Deed | undefined {
  if (!('repository' in request)) return undefined;
  return { action: ACTION_OF[request.kind], repository: request.repository };
}

type OfRepository = Extract<RegistryRequest, { readonly repository: string }>['kind'];

const ACTION_OF: Readonly<Record<OfRepository, Action>> = {
  'blob-get': 'pull',
  'manifest-get': 'pull',
  'tag-list': 'pull',
  'referrer-list': 'pull',
  'upload-start': 'push',
  'upload-whole': 'push',
  'upload-chunk': 'push',
  'upload-finish': 'push',
  'upload-status': 'push',
  'upload-cancel': 'push',
  'blob-mount': 'push',
  'manifest-put': 'push',
  'tag-delete': 'delete',
  'manifest-delete': 'delete',
  'blob-delete': 'delete',
};

/** The scope that a token for this request needs ("Token Scope Documentation" of distribution). */
function scopeOf(request: RegistryRequest): string | undefined {
  if (request.kind === 'catalog') return 'registry:catalog:*';
  const wanted = wantedOf(request);
  if (!wanted) return undefined;
  const actions = wanted.action === 'pull' ? 'pull' : `pull,${wanted.action}`;
  const scope = `repository:${wanted.repository}:${actions}`;
  return request.kind === 'blob-mount' && request.from !== undefined
    ? `${scope} repository:${request.from}:pull`
    : scope;
}
