// Queries a running registry's health at `/healthz`. Loaded only if one runs.
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { get as getSecurely } from 'node:https';
import type { TaskCall } from '../settings.ts';

/** Longer than the registry's own timeout for its disk. */
const TIMEOUT = 12_000;
const MAX_TEXT = 500;

/**
 * Returns `ok` or the problem, on one line. `host` is an address with its port, after `https://` if it has TLS; it is this machine's, so any certificate will do. `within` limits the total time in milliseconds, since a slow listener could
 * send a byte now and then for ever.
 */
export async function askHealth(host: string, settings: TaskCall, within: number = TIMEOUT): Promise<string> {
  const late = AbortSignal.timeout(within);
  try {
    const signal = settings.signal ? AbortSignal.any([settings.signal, late]) : late;
    const { status, said } = await answerOf(`${host.startsWith('https://') ? host : `http://${host}`}/healthz`, signal);
    if (status === 200) return 'ok';
    return said.trim().replaceAll('\n', '; ') || `status ${status}`;
  } catch (error) {
    settings.signal?.throwIfAborted();
    if (late.aborted) return `no answer within ${within / 1000} s`;
    return `no answer (${error instanceof Error ? error.message : error})`;
  }
}

async function answerOf(url: string, signal: AbortSignal): Promise<{ readonly status: number; readonly said: string }> {
  const request = url.startsWith('https:')
    ? getSecurely(url, { agent: false, signal, rejectUnauthorized: false })
    : get(url, { agent: false, signal });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  request.on('error', () => {});
  let said = '';
  for await (const text of response.setEncoding('utf8')) {
    said += text;
    if (said.length >= MAX_TEXT) break;
  }
  return { status: response.statusCode ?? 0, said: said.slice(0, MAX_TEXT) };
}
