// `docker://REF`: a registry.
import { formatReference, fullReference, parseReference, type Reference } from '../oci/reference.ts';
import type { ListedTransport } from './transport.ts';

export interface DockerLocation {
  readonly transport: 'docker';
  readonly reference: Reference;
}

export const docker: ListedTransport<DockerLocation> = {
  name: 'docker',
  prefix: 'docker://',
  form: 'docker://[host/]name[:tag][@digest]',
  usage: 'docker://REF',
  help: 'a registry',
  compressesLayers: true,
  parse(details, refuse) {
    if (!details.startsWith('//')) refuse('two slashes are lacking', `Write docker:/${details}.`);
    return { transport: 'docker', reference: parseReference(details.slice(2)) };
  },
  format: ({ reference }) => `//${formatReference(reference)}`,
  async openSource({ reference }, { registries }) {
    const { registrySource } = await import('./registry-source.ts');
    const name = fullReference(reference);
    const opened = await registries.open(name.host);
    return { source: registrySource(opened.registry, name), name, layersAsIs: true, owner: opened };
  },
  async openSink({ reference }, { registries }) {
    const { registrySink } = await import('./registry-sink.ts');
    const name = fullReference(reference);
    const opened = await registries.open(name.host);
    const sink = registrySink(opened.registry, {
      label: `docker://${formatReference(name)}`,
      repository: ({ path }) => path,
      indexes: 'complete',
      mountSources: await registries.mountSources(name.host),
    });
    return { sink, name, owner: opened };
  },
};
