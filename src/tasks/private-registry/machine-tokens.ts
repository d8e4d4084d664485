// Tokens of machines for the embedded registry: DIR/images/access/tokens/ID.json for each that was given and not revoked, with what it may do, never the token itself.
import { randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ACTIONS, type AccessScope, type Action } from '../../access/contract.ts';
import { decodeScopeClaim, decodeTextClaim } from '../../access/token-claims.ts';
import type { MachineToken, MachineTokens } from '../../access/tokens.ts';
import { writeFileAtomically } from '../../io/files/atomic-file.ts';
import { isFsError } from '../../io/files/fs-errors.ts';
import { listIfThere, readIfThere } from '../../io/files/read-config-file.ts';
import { checkArguments, objectWith, TEXT } from '../../oci/arguments.ts';
import { isObject } from '../../oci/decode.ts';
import { ImagesError } from '../../oci/errors.ts';
import { isRepositoryPattern } from '../../registry/policies/image-glob.ts';
import { SETTINGS } from '../arguments.ts';
import type { Settings } from '../settings.ts';
import { dataDirectory } from './registry-state.ts';
import { issuerOf, tokenKey } from './token-key.ts';

/** In milliseconds: how long a revoked token may still be taken. */
const LOOKED_AT_EVERY = 1000;
const ID = /^[0-9a-f-]{36}$/;
const SUFFIX = '.json';
const LONGEST_DAYS = 3650;
/** In ms since 1970: what a date can be (ECMAScript, "Time Values"). */
const LATEST = 8.64e15;

export interface MachineTokenRequest {
  /** For people: in lists and in the log. */
  readonly name: string;
  /** Patterns for repositories, by what may be done with them. */
  readonly allow: Readonly<Partial<Record<Action, readonly string[]>>>;
  /** Until it ends. */
  readonly days: number;
}

/** Makes a token of a machine, and records it so that it can be revoked. Errors: USAGE, CONFIG_INVALID (the key of tokens), NO_ACCESS, NO_SPACE, READ_ONLY. */
export async function giveToken(
  request: MachineTokenRequest,
  settings: Settings,
): Promise<MachineToken & { readonly token: string }> {
  checkArguments({ request: [request, objectWith({ name: TEXT })], settings: [settings, SETTINGS] });
  const { name, days } = request;
  const scopes = ACTIONS.flatMap((action) =>
    (request.allow[action] ?? []).map((repositories): AccessScope => {
      if (isRepositoryPattern(repositories))
        return { repositories, actions: action === 'pull' ? ['pull'] : ['pull', action] };
      throw new ImagesError('USAGE', `not a pattern for repositories [${repositories}]`, {
        hint: "Write the name of one, with * and ?: 'team/**'.",
      });
    }),
  );
  if (scopes.length === 0) {
    throw new ImagesError('USAGE', 'a token that may do nothing', { hint: "Say what it may do: --pull='team/*'." });
  }
  if (!(days > 0 && days <= LONGEST_DAYS)) {
    throw new ImagesError('USAGE', `not a number of days for a token [${days}]`, {
      hint: `From 1 to ${LONGEST_DAYS}.`,
    });
  }
  if (name === '' || name.length > 64 || /[^\x20-\x7e]/.test(name)) {
    throw new ImagesError('USAGE', 'the name of a token has 1 to 64 characters of ASCII');
  }
  const data = dataDirectory(settings);
  const record: MachineToken = { id: randomUUID(), name, scopes, expires: Date.now() + days * 24 * 3600_000 };
  const key = await tokenKey(data, 'kept');
  const issuer = issuerOf(key);
  const { createTokens } = await import('../../access/tokens.ts');
  const token = await createTokens({ key, issuer, service: issuer, hashOf: () => undefined }).machine(record);
  // Recorded first: a token that nobody can revoke is never handed out.
  await writeFileAtomically(fileOf(data, record.id), `${JSON.stringify(record)}\n`, { mode: 0o600 });
  return { ...record, token };
}

/**
 * The tokens that were given and not revoked, those that end first come first. One whose record is damaged is taken all the same, so it is listed, to be revoked.
 * Errors: FILE_UNREADABLE.
 */
export async function listTokens(settings: Settings): Promise<readonly MachineToken[]> {
  checkArguments({ settings: [settings, SETTINGS] });
  const data = dataDirectory(settings);
  const found: MachineToken[] = [];
  for (const id of idsIn(await listIfThere(tokensDirectory(data)))) {
    const text = await readIfThere(fileOf(data, id));
    // It may have been revoked a moment ago.
    if (text !== undefined) found.push(recordIn(text, id));
  }
  return found.sort((a, b) => a.expires - b.expires);
}

function recordIn(text: string, id: string): MachineToken {
  const damaged = { id, name: 'damaged record', scopes: [], expires: 0 };
  try {
    const record: unknown = JSON.parse(text);
    if (!isObject(record) || typeof record.expires !== 'number' || Math.abs(record.expires) > LATEST) return damaged;
    return {
      id,
      name: decodeTextClaim(record.name),
      scopes: decodeScopeClaim(record.scopes),
      expires: record.expires,
    };
  } catch {
    return damaged;
  }
}

/** Revokes a token by its id, or all of a name. A registry that runs takes it for a second at most. Errors: USAGE (there is none). */
export async function revokeTokens(idOrName: string, settings: Settings): Promise<readonly MachineToken[]> {
  checkArguments({ idOrName: [idOrName, TEXT], settings: [settings, SETTINGS] });
  const meant = (await listTokens(settings)).filter(({ id, name }) => id === idOrName || name === idOrName);
  if (meant.length === 0) {
    throw new ImagesError('USAGE', `no such token [${idOrName}]`, { hint: '`images lreg_token --list` shows them.' });
  }
  for (const { id } of meant) await rm(fileOf(dataDirectory(settings), id), { force: true });
  return meant;
}

/** For a server: the folder is looked at once a second at most. If it cannot be looked at, what was there before holds, and that is told. */
export function recordedTokens(data: string, onNotice?: (text: string) => void): Required<MachineTokens> {
  let ids: ReadonlySet<string> = new Set();
  let lookedAt = Number.NEGATIVE_INFINITY;
  let isTold = false;
  const look = (): ReadonlySet<string> => {
    if (performance.now() - lookedAt < LOOKED_AT_EVERY) return ids;
    lookedAt = performance.now();
    try {
      ids = new Set(idsIn(readdirSync(tokensDirectory(data))));
      isTold = false;
    } catch (error) {
      if (isFsError(error, 'ENOENT', 'ENOTDIR')) ids = new Set();
      else if (!isTold) onNotice?.(`tokens that are given or revoked now are not seen: ${(error as Error).message}`);
      isTold = !isFsError(error, 'ENOENT', 'ENOTDIR');
    }
    return ids;
  };
  return { isThere: (id) => ID.test(id) && look().has(id), any: () => look().size > 0 };
}

/** Other files are not ours, or half of a record whose writer was killed. */
function idsIn(files: readonly string[]): readonly string[] {
  return files
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .filter((id) => ID.test(id));
}

function tokensDirectory(data: string): string {
  return join(data, 'images/access/tokens');
}

function fileOf(data: string, id: string): string {
  return join(tokensDirectory(data), `${id}${SUFFIX}`);
}
