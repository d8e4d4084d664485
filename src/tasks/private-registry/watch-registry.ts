// Tells what happens in the registry while it happens, and goes on where it was when the registry is there again.
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { get as getSecurely } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import type { LogLevel } from '../../observe/operator-event.ts';
import { checkArguments, OBJECT } from '../../oci/arguments.ts';
import { isObject, type Json } from '../../oci/decode.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { SETTINGS } from '../arguments.ts';
import type { Settings } from '../settings.ts';
import { eventData } from './event-stream.ts';
import { localRegistries } from './local-registries.ts';
import type { RegistryAddress } from './local-registry.ts';
import { addressOf, locateRegistry, nearestAddress, noRegistry } from './locate-registry.ts';

export interface WatchRequest {
  /** A cursor of an event: what came after it is told first, as far as the registry knows it. `0`: all that it knows. */
  readonly since?: string;
}

/** As in docs/operator-event.schema.json: `fields` are all of them. */
export interface WatchedEvent {
  readonly time: string;
  readonly cursor: string;
  readonly level: LogLevel;
  readonly event: string;
  readonly message: string;
  readonly fields: Json;
}

const LONGEST_PAUSE = 5000;
/** In milliseconds without a byte: the registry says every 15 seconds that it is there. */
const SILENT = 60_000;

/**
 * Goes on until the signal. The settings' `onNote` is told when the registry has gone, and when it is there again. Errors: NO_REGISTRY (none runs), DENIED, UNAUTHORIZED (it
 * tells only its owner, and who may pull everything), UNSUPPORTED (another program), TOOMANYREQUESTS, UNREACHABLE.
 */
export async function* watchRegistry(request: WatchRequest, settings: Settings): AsyncGenerator<WatchedEvent> {
  checkArguments({ request: [request, OBJECT], settings: [settings, SETTINGS] });
  let cursor = request.since;
  let hasAnswered = false;
  for (let pause = 250; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    settings.signal?.throwIfAborted();
    try {
      for await (const event of eventsOf(await requireAddress(settings), cursor, settings)) {
        if (event === undefined) {
          if (hasAnswered && pause > 250) settings.onNote?.('The registry is there again.');
          hasAnswered = true;
          pause = 250;
          continue;
        }
        cursor = event.cursor;
        yield event;
      }
    } catch (error) {
      settings.signal?.throwIfAborted();
      const isRefused = isImagesError(error) && !isImagesError(error, 'NO_REGISTRY', 'TOOMANYREQUESTS');
      if (!hasAnswered || isRefused) throw error;
    }
    if (pause === 250) settings.onNote?.('The registry has gone: waiting for it.');
    await delay(pause, undefined, settings.signal ? { signal: settings.signal } : {}).catch(() => undefined);
  }
}

async function requireAddress(settings: Settings): Promise<RegistryAddress> {
  const location = await locateRegistry(settings);
  if (location?.kind === 'remote') return location.address;
  const listening = location?.state && nearestAddress(location.state);
  if (listening) return addressOf(listening);
  throw location
    ? new ImagesError('NO_REGISTRY', 'the embedded registry is not running', { hint: 'Start it: images lreg_start' })
    : noRegistry(settings);
}

/** First `undefined`, when the registry has answered. It ends when the connection does. */
async function* eventsOf(
  { secure, host }: RegistryAddress,
  cursor: string | undefined,
  settings: Settings,
): AsyncGenerator<WatchedEvent | undefined> {
  const { signal } = settings;
  const local = localRegistries(settings);
  const scheme = secure ? 'https' : 'http';
  const ca = secure ? local.caOf(host) : undefined;
  // The login is for who proves to be this registry: by its own CA, or on this machine.
  const login = secure && ca === undefined ? undefined : local.loginOf(host, scheme);
  const headers = {
    accept: 'text/event-stream',
    ...(login?.type === 'registry-token' && { authorization: `Bearer ${login.token}` }),
  };
  const url = `${scheme}://${host}/images/events${cursor === undefined ? '' : `?after=${encodeURIComponent(cursor)}`}`;
  const options = { agent: false, headers, ...(signal && { signal }) } as const;
  const asked = secure
    ? getSecurely(url, { ...options, ...(ca === undefined ? { rejectUnauthorized: false } : { ca }) })
    : get(url, options);
  try {
    asked.setTimeout(SILENT, () => asked.destroy(new Error('nothing comes any more')));
    const response = await answered(asked, host);
    asked.on('error', () => undefined);
    if (response.statusCode !== 200) throw refusal(response, host);
    yield undefined;
    for await (const data of eventData(response.setEncoding('utf8'))) {
      const event = watched(data);
      if (event) yield event;
    }
  } catch (error) {
    // A connection that breaks is a registry that has gone.
    if (isImagesError(error)) throw error;
  } finally {
    asked.destroy();
  }
}

async function answered(asked: ReturnType<typeof get>, host: string): Promise<IncomingMessage> {
  try {
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return response;
  } catch (cause) {
    throw new ImagesError(
      'NO_REGISTRY',
      `nothing answers at ${host}: ${cause instanceof Error ? cause.message : cause}`,
      {
        cause,
        hint: 'Start the registry: images lreg_start',
      },
    );
  }
}

function refusal({ statusCode = 0 }: IncomingMessage, host: string): ImagesError {
  if (statusCode === 401 || statusCode === 403) {
    return new ImagesError('DENIED', `the registry at ${host} does not tell this user what happens`, {
      hint: 'It tells its owner, and who may pull everything.',
    });
  }
  if (statusCode === 429) return new ImagesError('TOOMANYREQUESTS', `too many watch the registry at ${host}`);
  return new ImagesError('UNSUPPORTED', `the registry at ${host} does not tell what happens [status ${statusCode}]`, {
    hint: 'It is another program, or an earlier version.',
  });
}

function watched(data: string): WatchedEvent | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(data);
  } catch {
    return undefined;
  }
  if (!isObject(fields)) return undefined;
  const { time, cursor, level, event, message } = fields;
  if (typeof time !== 'string' || typeof cursor !== 'string' || typeof event !== 'string') return undefined;
  if (typeof message !== 'string' || typeof level !== 'string') return undefined;
  return { time, cursor, level: level as LogLevel, event, message, fields };
}
