// Finds the users and groups that can own files here: all, those of /etc/subuid and /etc/subgid (subuid(5)), or one. Relies on /proc.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { Owners } from './contract.ts';

/** Maps `count` ids from `inside`, in the namespace, to those from `outside`. */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

export interface Ids {
  readonly owners: Owners;
  /** Whether to mount and write as the current user, or in a new user namespace. */
  readonly enter: 'directly' | 'user namespace';
  /** Whether mounts happen in a user namespace: a new one, or one in which this process already is. */
  readonly inUserNamespace: boolean;
  readonly user: { readonly name: string; readonly uid: number };
  /** The first id above all subordinate ids of all users. */
  readonly firstFree: number;
  /** The mappings of the user namespace. */
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
  /** Identifies the mapping, as a part of paths: files made with another one may not be readable. */
  readonly key: string;
}

const ALL = 4_294_967_295;
const CAP_SYS_ADMIN = 21n;
/** Fewer subordinate ids are treated as none: Debian's `nobody` is 65534. */
const ENOUGH = 65_535;

export async function findIds(options: { readonly subordinate: boolean }): Promise<Ids> {
  const [status, uidMap, gidMap, uidLines, gidLines] = await Promise.all([
    readFile('/proc/self/status', 'latin1'),
    readMap('/proc/self/uid_map'),
    readMap('/proc/self/gid_map'),
    readSubordinate('/etc/subuid'),
    readSubordinate('/etc/subgid'),
  ]);
  const firstFree = firstFreeId([...uidLines, ...gidLines]);
  const uid = effective(status, 'Uid');
  const gid = effective(status, 'Gid');
  const user = { name: nameOf(uid), uid };
  const inUserNamespace = sum(uidMap) < ALL;
  if (uid === 0 && isSet(status, CAP_SYS_ADMIN)) {
    const owners: Owners = !inUserNamespace ? 'all' : Math.min(sum(uidMap), sum(gidMap)) >= ENOUGH ? 'many' : 'one';
    return keyed({ owners, enter: 'directly', inUserNamespace, user, firstFree, uids: uidMap, gids: gidMap });
  }
  const [subUids, subGids] = options.subordinate ? [rangesOf(uidLines, user), rangesOf(gidLines, user)] : [[], []];
  const many = Math.min(sum(subUids), sum(subGids)) >= ENOUGH;
  return keyed({
    owners: many ? 'many' : 'one',
    enter: 'user namespace',
    inUserNamespace: true,
    user,
    firstFree,
    uids: [{ inside: 0, outside: uid, count: 1 }, ...(many ? subUids : [])],
    gids: [{ inside: 0, outside: gid, count: 1 }, ...(many ? subGids : [])],
  });
}

/** Whether a file can belong to this id in the namespace. */
export function isMapped(ranges: readonly IdRange[], id: number): boolean {
  return ranges.some(({ inside, count }) => id >= inside && id < inside + count);
}

function keyed(ids: Omit<Ids, 'key'>): Ids {
  const ranges = JSON.stringify([ids.owners, ids.user.uid, ids.uids, ids.gids, ids.inUserNamespace]);
  return { ...ids, key: `${ids.owners}-${createHash('sha256').update(ranges).digest('hex').slice(0, 8)}` };
}

async function readMap(file: string): Promise<readonly IdRange[]> {
  const lines = (await readFile(file, 'latin1')).trim().split('\n');
  return lines.map((line) => {
    const [inside = 0, outside = 0, count = 0] = line.trim().split(/\s+/).map(Number);
    return { inside, outside, count };
  });
}

interface Subordinate {
  readonly owner: string;
  readonly first: number;
  readonly count: number;
}

/** The entries of the file. Invalid lines are ignored. */
async function readSubordinate(file: string): Promise<readonly Subordinate[]> {
  const text = await readFile(file, 'latin1').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const [owner = '', first, amount] = line.trim().split(':');
    const given = { owner, first: Number(first), count: Number(amount) };
    return Number.isSafeInteger(given.first) && Number.isSafeInteger(given.count) && given.count > 0 ? [given] : [];
  });
}

/** All ranges of the user, by name or number. Inside the namespace they are consecutive, from id 1. */
function rangesOf(
  given: readonly Subordinate[],
  user: { readonly name: string; readonly uid: number },
): readonly IdRange[] {
  let inside = 1;
  const ranges: IdRange[] = [];
  for (const { owner, first, count } of given) {
    if (owner !== user.name && owner !== String(user.uid)) continue;
    ranges.push({ inside, outside: first, count });
    inside += count;
  }
  return ranges;
}

const FIRST_FREE = 100_000;

/** The first id above all given ranges: users who share ids could write each other's files. */
export function firstFreeId(given: readonly Pick<Subordinate, 'first' | 'count'>[]): number {
  return Math.max(FIRST_FREE, ...given.map(({ first, count }) => first + count));
}

function sum(ranges: readonly IdRange[]): number {
  return ranges.reduce((total, { count }) => total + count, 0);
}

/** The second number of real, effective, saved and file system id. */
function effective(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+\\d+\\s+(\\d+)`, 'm').exec(status)?.[1]);
}

function isSet(status: string, capability: bigint): boolean {
  const set = /^CapEff:\s+([0-9a-f]+)/m.exec(status)?.[1];
  return set !== undefined && ((BigInt(`0x${set}`) >> capability) & 1n) === 1n;
}

function nameOf(uid: number): string {
  try {
    return userInfo().username;
  } catch {
    // The uid has no entry in the user database.
    return String(uid);
  }
}
