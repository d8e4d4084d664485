// `oci-archive:FILE[:NAME]`: an OCI image layout in a tar file.
import {
  canBePut,
  formatLayoutDetails,
  type LayoutLocation,
  namesOneImage,
  parseLayoutDetails,
} from '../layout/layout-location.ts';
import { cannotPut, type ListedTransport, NAME_IT, ownName, standingOn } from '../transport.ts';

export interface OciArchiveLocation extends LayoutLocation {
  readonly transport: 'oci-archive';
}

export const ociArchive: ListedTransport<OciArchiveLocation> = {
  name: 'oci-archive',
  form: 'oci-archive:FILE[:NAME]',
  usage: 'oci-archive:FILE[:TAG]',
  help: 'an OCI layout in a tar file',
  paths: 'files',
  compressesLayers: true,
  parse: (details, refuse) => ({ transport: 'oci-archive', ...parseLayoutDetails(details, refuse) }),
  format: formatLayoutDetails,
  async openSource(location, options) {
    const { openOciArchive } = await import('./oci-archive-source.ts');
    const name = ownName(location.ref);
    return { source: await openOciArchive(location, options), layersAsIs: true, ...(name && { name }) };
  },
  async openSink(location, options) {
    if (!canBePut(location)) throw cannotPut(`oci-archive:${formatLayoutDetails(location)}`, NAME_IT);
    const { ociArchiveSink } = await import('./oci-archive-sink.ts');
    return {
      sink: ociArchiveSink(location.path, { ...options, ...(location.ref !== undefined && { ref: location.ref }) }),
    };
  },
  async openAll(location, options) {
    if (namesOneImage(location)) return undefined;
    const [{ openArchive }, { listLayoutImages }] = await Promise.all([
      import('./archive-file.ts'),
      import('../layout/list-images.ts'),
    ]);
    const archive = await openArchive(location.path, { ...options, label: `oci-archive:${location.path}` });
    const images = await standingOn(archive, () => listLayoutImages(archive));
    return { images, layersAsIs: true, [Symbol.asyncDispose]: archive[Symbol.asyncDispose] };
  },
};
