// `containers-storage:[STORE]REF`: a store of podman's or CRI-O's, or a tar of one.
import { type ListedTransport, ownName, standingOn } from '../transport.ts';
import { formatStorageDetails, parseStorageDetails, type StorageDetails } from './storage-location.ts';

/** Without `store`: the default one. */
export type StorageLocation = { readonly transport: 'containers-storage' } & StorageDetails;

export const containersStorage: ListedTransport<StorageLocation> = {
  name: 'containers-storage',
  form: 'containers-storage:[STORE]name[:tag]',
  usage: 'containers-storage:[STORE]REF',
  help: "podman's store",
  insteadOfSink: '`images make` writes such stores.',
  parse: (details, refuse) => ({ transport: 'containers-storage', ...parseStorageDetails(details, refuse) }),
  format: formatStorageDetails,
  async openSource(location, options) {
    const [{ openStore }, { storageSource }] = await Promise.all([
      import('./find-store.ts'),
      import('./storage-source.ts'),
    ]);
    const files = await openStore(location.store, options);
    const source = await standingOn(files, () => storageSource(files, location));
    const name = ownName(source.names[0]);
    return { source, ...(name && { name }) };
  },
};
