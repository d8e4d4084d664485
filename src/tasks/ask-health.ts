// What a running registry says of itself at `/healthz`. Loaded only where one runs.
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { callOptions, type Settings } from './settings.ts';

/** Longer than the registry itself waits for its disk. */
const TIMEOUT = 12_000;
const MAX_TEXT = 500;

/** `ok`, or what is wrong, on one line. `host` is an address with its port. */
export async function askHealth(host: string, settings: Settings): Promise<string> {
  try {
    const { status, said } = await answerOf(`http://${host}/healthz`, settings);
    if (status === 200) return 'ok';
    return said.trim().slice(0, MAX_TEXT).replaceAll('\n', '; ') || `status ${status}`;
  } catch (error) {
    settings.signal?.throwIfAborted();
    return `no answer (${error instanceof Error ? error.message : error})`;
  }
}

async function answerOf(url: string, settings: Settings): Promise<{ readonly status: number; readonly said: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly status: number; readonly said: string }>();
  const request = get(url, { agent: false, timeout: TIMEOUT, ...callOptions(settings) }, (response) => {
    text(response).then((said) => resolve({ status: response.statusCode ?? 0, said }), reject);
  });
  request.once('timeout', () => request.destroy(new Error(`nothing within ${TIMEOUT / 1000} s`)));
  request.once('error', reject);
  return promise;
}
