// Queries a running registry's health at `/readyz`. Loaded only if one runs.
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { get as getSecurely } from 'node:https';
import { isObject } from '../../oci/decode.ts';
import type { TaskCall } from '../settings.ts';

/** What a registry says of its health. */
export interface AskedHealth {
  /** `ok`, or the problem, on one line. */
  readonly said: string;
  /** Each check; absent of earlier versions, and where nothing answers. */
  readonly checks?: readonly AskedCheck[];
}

export interface AskedCheck {
  /** `pulls`, `pushes`, `quota`, `clock`, `certificate`, `stopping`. */
  readonly name: string;
  readonly ok: boolean;
  readonly problem?: string;
  /** In ISO 8601: since when it has been well, or not. */
  readonly since: string;
}

/** Longer than the registry's own timeout for its disk. */
const TIMEOUT = 12_000;
const MAX_TEXT = 5000;
const MAX_SAID = 500;

/**
 * `host` is an address with its port, after `https://` if it has TLS; it is this machine's, so any certificate will do. `within` limits the total time in
 * milliseconds, since a slow listener could send a byte now and then for ever.
 */
export async function askHealth(host: string, settings: TaskCall, within: number = TIMEOUT): Promise<AskedHealth> {
  const late = AbortSignal.timeout(within);
  try {
    const signal = settings.signal ? AbortSignal.any([settings.signal, late]) : late;
    const base = host.startsWith('https://') ? host : `http://${host}`;
    const answer = await answerOf(`${base}/readyz?format=json`, signal);
    // Of an earlier version.
    return healthIn(answer.status === 404 ? await answerOf(`${base}/healthz`, signal) : answer);
  } catch (error) {
    settings.signal?.throwIfAborted();
    if (late.aborted) return { said: `no answer within ${within / 1000} s` };
    return { said: `no answer (${error instanceof Error ? error.message : error})` };
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

function healthIn({ status, text }: Answer): AskedHealth {
  const checks = checksIn(text);
  const bad = checks?.filter(({ ok }) => !ok).map(({ name, problem = 'fails' }) => `${name}: ${problem}`);
  const lines = bad ?? text.trim().split('\n');
  const said = status === 200 ? 'ok' : lines.join('; ').slice(0, MAX_SAID) || `status ${status}`;
  return { said, ...(checks && { checks }) };
}

function checksIn(text: string): readonly AskedCheck[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || !Array.isArray(value.checks)) return undefined;
  return value.checks
    .filter(isObject)
    .flatMap(({ name, ok, problem, since }) =>
      typeof name === 'string' && typeof ok === 'boolean' && typeof since === 'string'
        ? [{ name, ok, ...(typeof problem === 'string' && { problem }), since }]
        : [],
    );
}

async function answerOf(url: string, signal: AbortSignal): Promise<Answer> {
  const request = url.startsWith('https:')
    ? getSecurely(url, { agent: false, signal, rejectUnauthorized: false })
    : get(url, { agent: false, signal });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  request.on('error', () => {});
  let text = '';
  for await (const piece of response.setEncoding('utf8')) {
    text += piece;
    if (text.length >= MAX_TEXT) break;
  }
  return { status: response.statusCode ?? 0, text: text.slice(0, MAX_TEXT) };
}
