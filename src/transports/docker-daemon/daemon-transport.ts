// `docker-daemon:REF` or `docker-daemon:sha256:HEX`: an image of the Docker daemon.
import { type Digest, isDigest } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { formatReference, parseReference, type Reference } from '../../oci/reference.ts';
import { cannotPut, type ListedTransport, NAME_IT, ownName, standingOn, type TransportOptions } from '../transport.ts';
import type { DockerDaemon } from './daemon.ts';

export type DaemonLocation =
  | { readonly transport: 'docker-daemon'; readonly reference: Reference }
  | { readonly transport: 'docker-daemon'; readonly id: Digest; readonly reference?: undefined };

export const dockerDaemonTransport: ListedTransport<DaemonLocation> = {
  name: 'docker-daemon',
  form: 'docker-daemon:name:tag or docker-daemon:sha256:HEX',
  usage: 'docker-daemon:REF',
  help: 'the Docker daemon',
  parse(details, refuse) {
    if (isDigest(details)) {
      if (!details.startsWith('sha256:')) refuse('an image id is sha256');
      return { transport: 'docker-daemon', id: details };
    }
    const reference = parseReference(details);
    if (reference.host === undefined && reference.path === 'sha256') refuse('an image id has 64 digits');
    if (reference.tag && reference.digest) refuse('a tag and a digest at once');
    return { transport: 'docker-daemon', reference };
  },
  format: (location) => (location.reference ? formatReference(location.reference) : location.id),
  async openSource(location, options) {
    const [daemon, { openDaemonImage }] = await Promise.all([runningDaemon(options), import('./daemon-source.ts')]);
    const wanted = location.reference ? { reference: location.reference } : { id: location.id };
    const source = await standingOn(daemon, () => openDaemonImage(daemon, wanted, options));
    const name = ownName(location.reference && formatReference(location.reference));
    // The source compresses layers as they arrive from the daemon, so that it is asked once.
    return { source, owner: daemon, layersAsIs: true, ...(name && { name }) };
  },
  async openSink(location, options) {
    if (!location.reference) throw cannotPut(`docker-daemon:${location.id}`, NAME_IT);
    const [daemon, { dockerDaemonSink }] = await Promise.all([runningDaemon(options), import('./daemon-sink.ts')]);
    return { sink: dockerDaemonSink(daemon, options), owner: daemon, name: location.reference };
  },
};

async function runningDaemon(options: TransportOptions): Promise<DockerDaemon> {
  const { dockerDaemon } = await import('./daemon.ts');
  const daemon = await dockerDaemon(options);
  if (!daemon) throw noDaemon();
  return daemon;
}

export function noDaemon(): ImagesError {
  return new ImagesError('NOT_RUNNING', 'no Docker daemon runs', { hint: 'Start it, or set DOCKER_HOST.' });
}
