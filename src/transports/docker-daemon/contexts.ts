// Docker contexts: `docker context use NAME`. The directories of a context are named by the SHA-256 of its name (docker/cli, "context store").
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readJsonFile } from '../../io/files/read-config-file.ts';
import { isObject } from '../../oci/decode.ts';
import { ImagesError } from '../../oci/errors.ts';
import { readTls, type TlsMaterial } from './tls-material.ts';

export interface DockerContext {
  readonly address: string;
  /** Returns `undefined` if the context has no TLS material: plain HTTP. */
  tls(): Promise<TlsMaterial | undefined>;
}

/**
 * The context that `name` or else the configuration names. Returns `undefined` for the default one. `directory` is $DOCKER_CONFIG. Errors: CONFIG_INVALID
 * (the named context does not exist, invalid JSON), FILE_UNREADABLE.
 */
export async function currentContext(directory: string, name?: string): Promise<DockerContext | undefined> {
  const configured = name ?? (await configuredName(join(directory, 'config.json')));
  if (configured === undefined || configured === '' || configured === 'default') return undefined;
  const id = createHash('sha256').update(configured).digest('hex');
  const meta = await readJsonFile(join(directory, 'contexts/meta', id, 'meta.json'));
  const endpoints = isObject(meta) && isObject(meta.Endpoints) ? meta.Endpoints : {};
  const docker = isObject(endpoints.docker) ? endpoints.docker : {};
  if (typeof docker.Host !== 'string' || docker.Host === '') {
    throw new ImagesError('CONFIG_INVALID', `there is no docker context with an address [${configured}]`, {
      hint: 'See `docker context ls`; `docker context use default` or DOCKER_HOST choose another daemon.',
    });
  }
  const verify = docker.SkipTLSVerify !== true;
  return {
    address: docker.Host,
    async tls() {
      const files = await readTls(join(directory, 'contexts/tls', id, 'docker'));
      return Object.keys(files).length > 0 || !verify ? { ...files, verify } : undefined;
    },
  };
}

/** An invalid configuration file is reported where credentials are read from it. Here it names no context. */
async function configuredName(file: string): Promise<string | undefined> {
  try {
    const config = await readJsonFile(file);
    return isObject(config) && typeof config.currentContext === 'string' ? config.currentContext : undefined;
  } catch {
    return undefined;
  }
}
