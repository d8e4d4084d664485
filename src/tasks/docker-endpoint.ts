// Finds the Docker daemon: $DOCKER_HOST, the current docker context, /var/run/docker.sock; and asks its Engine API. Relies on node:http.
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '../oci/decode.ts';
import { callOptions, type Settings } from './settings.ts';

export type DockerEndpoint = { readonly socketPath: string } | { readonly host: string; readonly port: number };

type DockerSettings = Pick<Settings, 'env' | 'home' | 'signal'>;

const DEFAULT_SOCKET = '/var/run/docker.sock';
const TIMEOUT_MS = 3000;

/** `undefined` where none is configured and the default socket is not there, or where it takes more than plain HTTP (ssh, TLS). */
export async function dockerEndpoint(settings: DockerSettings): Promise<DockerEndpoint | undefined> {
  const address = settings.env.DOCKER_HOST || (await contextAddress(settings)) || `unix://${DEFAULT_SOCKET}`;
  const [, scheme, rest = ''] = /^(\w+):\/\/(.*)$/.exec(address) ?? [];
  if (scheme === 'unix') return (await isSocket(rest)) ? { socketPath: rest } : undefined;
  const url = scheme === 'tcp' || scheme === 'http' ? URL.parse(`http://${rest}`) : null;
  return url && !settings.env.DOCKER_TLS_VERIFY
    ? { host: url.hostname.replaceAll(/[[\]]/g, ''), port: Number(url.port || 2375) }
    : undefined;
}

/** GET of the Engine API; `undefined` where there is no answer, or another than 200. */
export async function askDocker(endpoint: DockerEndpoint, path: string, settings: DockerSettings): Promise<unknown> {
  const { request } = await import('node:http');
  const text = await new Promise<string | undefined>((resolve) => {
    const asked = request(
      { ...endpoint, path, agent: false, timeout: TIMEOUT_MS, ...callOptions(settings) },
      (answer) => {
        let body = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          body += chunk;
        });
        answer.on('error', () => resolve(undefined));
        answer.on('end', () => resolve(answer.statusCode === 200 ? body : undefined));
      },
    );
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(undefined));
    asked.on('close', () => resolve(undefined));
    asked.end();
  });
  return text === undefined ? undefined : JSON.parse(text);
}

/** A context is kept under the SHA-256 of its name, as the docker command does. */
async function contextAddress({ env, home }: DockerSettings): Promise<string | undefined> {
  const directory = env.DOCKER_CONFIG || join(home, '.docker');
  const config = await readJson(join(directory, 'config.json'));
  const name = env.DOCKER_CONTEXT || (isObject(config) ? config.currentContext : undefined);
  if (typeof name !== 'string' || name === '' || name === 'default') return undefined;
  const id = createHash('sha256').update(name).digest('hex');
  const meta = await readJson(join(directory, 'contexts/meta', id, 'meta.json'));
  const endpoints = isObject(meta) && isObject(meta.Endpoints) ? meta.Endpoints : {};
  const docker = endpoints.docker;
  return isObject(docker) && typeof docker.Host === 'string' ? docker.Host : undefined;
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

async function isSocket(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isSocket() ?? false;
}
