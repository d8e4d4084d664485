// Health of the service: whether it lives and has its store (`/healthz`), and whether traffic should come to it (`/readyz`). What is found is kept for a moment, so the
// cost does not depend on how often somebody asks.
import { ImagesError } from '../oci/errors.ts';
import { jsonReply, type Reply, textReply, troubleOf } from './reply.ts';

/** A check throws what is wrong. The signal ends a check that takes too long. */
export interface HealthChecks {
  /** Checks what a pull needs. */
  canRead(signal: AbortSignal): Promise<void>;
  /** Checks what a push needs in addition. */
  canWrite(signal: AbortSignal): Promise<void>;
  /** What else keeps traffic away, by the word under which it is told: `quota`, `clock`. */
  readonly more?: Readonly<Record<string, (signal: AbortSignal) => Promise<void>>>;
}

/** What a check found. */
export interface HealthFinding {
  /** `pulls`, `pushes`, `stopping`, or a word of `HealthChecks.more`. */
  readonly name: string;
  /** Without internal details; absent if all is well. */
  readonly problem?: string;
  /** Since when it has been well, or not. */
  readonly since: Date;
}

export interface HealthOptions {
  /** Milliseconds for which what was found is told again. */
  readonly maxAge?: number;
  /** Milliseconds after which a check counts as failed. */
  readonly timeout?: number;
  /** Called for a problem that the previous check did not have. */
  readonly onTrouble: (error: unknown) => void;
  /** The server takes no more requests than those that it has. */
  readonly isStopping?: () => boolean;
}

export interface Health {
  /** 200 as long as pulls work, whatever else does not, which is told; else 503. A hung disk is told of in time: only what pulls need is waited for. */
  alive(options?: HealthFormat): Promise<Reply>;
  /** 200 and `ok`; or 503 and a line for each thing that does not work. */
  ready(options?: HealthFormat): Promise<Reply>;
  /** What was found, at most `maxAge` milliseconds ago if it is said. Never takes longer than the checks may. */
  findings(maxAge?: number): Promise<readonly HealthFinding[]>;
}

export interface HealthFormat {
  readonly json?: boolean;
}

const PULLS = 'pulls';
const PUSHES = 'pushes';
/** Whoever asks wants to know how it is now. */
const FRESH = { 'Cache-Control': 'no-store' };

export function createHealth(checks: HealthChecks | undefined, options: HealthOptions): Health {
  const { maxAge = 3000, timeout = 5000, onTrouble, isStopping = () => false } = options;
  const found = new Map<string, HealthFinding>();
  const names = [PULLS, PUSHES, ...Object.keys(checks?.more ?? {})];
  let stoppingSince: Date | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;

  async function check(name: string, work: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
    const before = found.get(name);
    let problem: string | undefined;
    try {
      await withinTime(work, timeout);
    } catch (error) {
      problem = problemOf(error);
      if (before?.problem !== problem) onTrouble(error);
    }
    const isSame = before && (before.problem === undefined) === (problem === undefined);
    const since = isSame ? before.since : new Date();
    found.set(name, { name, ...(problem !== undefined && { problem }), since });
    return problem === undefined;
  }

  const pulls = kept(maxAge, async () => !checks || (await check(PULLS, (signal) => checks.canRead(signal))));
  const look = kept(maxAge, async () => {
    const isReadable = await pulls();
    // If it cannot be read it cannot be written either, and a disk that hangs is asked nothing more.
    if (!isReadable) found.delete(PUSHES);
    else if (checks) await check(PUSHES, (signal) => checks.canWrite(signal));
    for (const [name, work] of Object.entries(checks?.more ?? {})) await check(name, work);
    lookedAt = performance.now();
  });

  function findings(): readonly HealthFinding[] {
    const all = names.map((name) => found.get(name)).filter((finding) => finding !== undefined);
    if (!isStopping()) return all;
    stoppingSince ??= new Date();
    return [...all, { name: 'stopping', problem: 'the registry is being stopped', since: stoppingSince }];
  }

  return {
    alive: async ({ json = false } = {}) => {
      const [isAlive] = [await pulls()];
      // Nobody waits for the others here; what they find shows in the next answer.
      void look();
      return healthReply(findings(), { isWell: isAlive, first: 'pulls work', json });
    },
    ready: async ({ json = false } = {}) => {
      await look();
      const now = findings();
      return healthReply(now, { isWell: now.every(({ problem }) => problem === undefined), json });
    },
    findings: async (age = maxAge) => {
      if (performance.now() - lookedAt > age) await look();
      return findings();
    },
  };
}

interface Answer {
  readonly isWell: boolean;
  /** The first line where all is not well, and yet the answer is 200. */
  readonly first?: string;
  readonly json: boolean;
}

function healthReply(findings: readonly HealthFinding[], { isWell, first, json }: Answer): Reply {
  const status = isWell ? 200 : 503;
  if (json)
    return jsonReply({ status: isWell ? 'ok' : 'failing', checks: findings.map(asJson) }, { status, headers: FRESH });
  const lines = findings.filter(({ problem }) => problem !== undefined).map(lineOf);
  const said = lines.length === 0 ? ['ok'] : isWell && first !== undefined ? [first, ...lines] : lines;
  const { headers, ...reply } = textReply(status, said.map((line) => `${line}\n`).join(''));
  return { ...reply, headers: { ...headers, ...FRESH } };
}

function lineOf({ name, problem = 'ok', since }: HealthFinding): string {
  return `${name}: ${problem} (since ${timeOf(since)})`;
}

function asJson({ name, problem, since }: HealthFinding): unknown {
  return { name, ok: problem === undefined, ...(problem !== undefined && { problem }), since: timeOf(since) };
}

/** To the second, in ISO 8601. */
function timeOf(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** What strangers may know of it. */
function problemOf(error: unknown): string {
  return error instanceof ImagesError && error.isPublic ? error.message : troubleOf(error).message;
}

/** Work that is done once for all who ask at the same time, and for those who ask within `maxAge` milliseconds after it. */
function kept<T>(maxAge: number, work: () => Promise<T>): () => Promise<T> {
  let known: Promise<T> | undefined;
  return () => {
    known ??= work().finally(() => setTimeout(() => (known = undefined), maxAge).unref());
    return known;
  };
}

/** Limits the time of a check. Its system calls may never return if the disk hangs, so they are abandoned. */
async function withinTime(work: (signal: AbortSignal) => Promise<void>, timeout: number): Promise<void> {
  const signal = AbortSignal.timeout(timeout);
  const late = Promise.withResolvers<never>();
  const giveUp = () =>
    late.reject(new ImagesError('TIMEOUT', `no answer within ${timeout / 1000} s`, { isPublic: true }));
  signal.addEventListener('abort', giveUp);
  try {
    await Promise.race([work(signal), late.promise]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
