// `oci:DIR[:NAME]`: an OCI image layout.
import { cannotPut, type ListedTransport, NAME_IT, ownName } from '../transport.ts';
import {
  canBePut,
  formatLayoutDetails,
  type LayoutLocation,
  namesOneImage,
  parseLayoutDetails,
} from './layout-location.ts';

export interface OciLocation extends LayoutLocation {
  readonly transport: 'oci';
}

export const oci: ListedTransport<OciLocation> = {
  name: 'oci',
  form: 'oci:DIR[:NAME]',
  usage: 'oci:DIR[:TAG]',
  help: 'an OCI layout',
  paths: 'directories',
  compressesLayers: true,
  parse: (details, refuse) => ({ transport: 'oci', ...parseLayoutDetails(details, refuse) }),
  format: formatLayoutDetails,
  async openSource(location) {
    const { ociSource } = await import('./layout-source.ts');
    const name = ownName(location.ref);
    return { source: ociSource(location), layersAsIs: true, ...(name && { name }) };
  },
  async openSink(location) {
    if (!canBePut(location)) throw cannotPut(`oci:${formatLayoutDetails(location)}`, NAME_IT);
    const { ociSink } = await import('./layout-sink.ts');
    return { sink: ociSink(location.path, location.ref === undefined ? {} : { ref: location.ref }) };
  },
  async openAll(location) {
    if (namesOneImage(location)) return undefined;
    const [{ layoutDirectoryFiles }, { listLayoutImages }] = await Promise.all([
      import('./layout-files.ts'),
      import('./list-images.ts'),
    ]);
    const images = await listLayoutImages(layoutDirectoryFiles(location.path, `oci:${location.path}`));
    return { images, layersAsIs: true, async [Symbol.asyncDispose]() {} };
  },
};
