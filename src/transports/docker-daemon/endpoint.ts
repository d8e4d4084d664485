// Finds the address of the Docker daemon: $DOCKER_HOST, the current docker context, the usual sockets (docs.docker.com, "docker CLI", environment variables).
// Sends no request.

import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { runtimeDirectory } from '../../io/files/user-directories.ts';
import type { OnHttpEvent } from '../../io/http/http-event.ts';
import { type HttpUrl, tryParseHttpUrl } from '../../io/http/http-url.ts';
import { ImagesError } from '../../oci/errors.ts';
import { currentContext } from './contexts.ts';
import { readTls, type TlsMaterial } from './tls-material.ts';

export interface DaemonSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string | undefined;
  readonly signal?: AbortSignal;
  /** Called for each request. */
  readonly onHttp?: OnHttpEvent;
  /** Milliseconds for the answer to a ping. 5 s by default. */
  readonly pingWithin?: number;
}

interface Endpoint {
  /** The address in the form of $DOCKER_HOST. */
  readonly address: string;
  /** Whether the user named it: then it is an error if nobody listens there. */
  readonly named: boolean;
}

export interface SocketEndpoint extends Endpoint {
  readonly socketPath: string;
}

export interface TcpEndpoint extends Endpoint {
  readonly url: HttpUrl;
  readonly tls?: TlsMaterial;
}

export type DaemonEndpoint = SocketEndpoint | TcpEndpoint;

const DEFAULT_SOCKET = '/var/run/docker.sock';
const PORT = 2375;
const TLS_PORT = 2376;

/** Returns `undefined` if none is named and none of the usual sockets exists. Errors: UNSUPPORTED (ssh and others), CONFIG_INVALID, FILE_UNREADABLE. */
export async function daemonEndpoint(settings: DaemonSettings): Promise<DaemonEndpoint | undefined> {
  const { env } = settings;
  if (env.DOCKER_HOST) {
    const verify = Boolean(env.DOCKER_TLS_VERIFY);
    const secure = verify || Boolean(env.DOCKER_TLS);
    const directory = env.DOCKER_CERT_PATH || configDirectory(settings);
    return await parseAddress(env.DOCKER_HOST, async () =>
      secure ? { ...(directory === undefined ? {} : await readTls(directory)), verify } : undefined,
    );
  }
  const directory = configDirectory(settings);
  const context = directory && (await currentContext(directory, env.DOCKER_CONTEXT || undefined));
  if (context) return await parseAddress(context.address, () => context.tls());
  return await usualSocket(settings);
}

function configDirectory({ env, home }: DaemonSettings): string | undefined {
  return env.DOCKER_CONFIG || (home && join(home, '.docker'));
}

async function parseAddress(
  address: string,
  tls: () => Promise<TlsMaterial | undefined>,
): Promise<DaemonEndpoint | undefined> {
  const [, scheme = 'tcp', rest = ''] = /^(?:(\w+):\/\/)?(.*)$/.exec(address) ?? [];
  if (scheme === 'unix') return { address, named: true, socketPath: rest || DEFAULT_SOCKET };
  if (scheme === 'ssh') {
    throw new ImagesError('UNSUPPORTED', `a Docker daemon behind ssh is not supported [${address}]`, {
      hint: 'Forward its socket: ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST, then DOCKER_HOST=unix:///tmp/docker.sock.',
    });
  }
  if (scheme !== 'tcp' && scheme !== 'http' && scheme !== 'https') return notAnAddress(address);
  const material = await tls();
  const secure = scheme === 'https' || material !== undefined;
  const url = httpUrl(address, rest, secure);
  return { address, named: true, url, ...(secure && { tls: material ?? { verify: true } }) };
}

function httpUrl(address: string, rest: string, secure: boolean): HttpUrl {
  const [, host = '', path = ''] = /^([^/]*)(.*)$/s.exec(rest) ?? [];
  const [, name = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host) ?? [];
  if (host !== '' && name === '' && port === undefined) return notAnAddress(address);
  const authority = `${name || 'localhost'}:${port ?? (secure ? TLS_PORT : PORT)}`;
  const url = `${secure ? 'https' : 'http'}://${authority}${path.replace(/\/+$/, '')}`;
  return tryParseHttpUrl(url) ?? notAnAddress(address);
}

function notAnAddress(address: string): never {
  throw new ImagesError('UNSUPPORTED', `not an address of a Docker daemon [${address}]`, {
    hint: 'Set DOCKER_HOST to unix:///path/of/docker.sock or tcp://host:port.',
  });
}

/** The first socket to which this user may write. Else the first that exists: its refusal then explains the problem. */
async function usualSocket({ env, home }: DaemonSettings): Promise<SocketEndpoint | undefined> {
  const runtime = runtimeDirectory({ env });
  const rootless = [runtime && join(runtime, 'docker.sock'), home && join(home, '.docker/run/docker.sock')];
  const paths = [DEFAULT_SOCKET, ...rootless.filter((path) => path !== undefined)];
  const sockets = await Promise.all(paths.map(socketAt));
  const found = sockets.find((socket) => socket?.usable) ?? sockets.find((socket) => socket !== undefined);
  return found && { address: `unix://${found.path}`, named: false, socketPath: found.path };
}

async function socketAt(path: string): Promise<{ readonly path: string; readonly usable: boolean } | undefined> {
  const info = await stat(path).catch(() => undefined);
  if (!info?.isSocket()) return undefined;
  const usable = await access(path, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  return { path, usable };
}
