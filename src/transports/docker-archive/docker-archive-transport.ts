// `docker-archive:FILE[:REF]`: an archive as `docker save` writes it.
import { formatReference, parseReference, type Reference } from '../../oci/reference.ts';
import { parseIndex, splitPath } from '../path-details.ts';
import { cannotPut, type ListedTransport, NAME_IT, ownName, standingOn } from '../transport.ts';

/** With neither `reference` nor `index`: the only image. */
export interface DockerArchiveLocation {
  readonly transport: 'docker-archive';
  readonly path: string;
  readonly reference?: Reference;
  /** Index in the archive's manifest.json, from 0. */
  readonly index?: number;
}

export const dockerArchive: ListedTransport<DockerArchiveLocation> = {
  name: 'docker-archive',
  form: 'docker-archive:FILE[:name[:tag]] or docker-archive:FILE:@INDEX',
  usage: 'docker-archive:FILE[:REF]',
  help: 'a file that docker save wrote',
  paths: 'files',
  parse(details, refuse) {
    const { path, rest } = splitPath(details, refuse);
    const transport = 'docker-archive';
    if (rest === undefined) return { transport, path };
    if (rest.startsWith('@')) return { transport, path, index: parseIndex(rest, refuse) };
    if (rest === '') refuse('no name after the last colon');
    const reference = parseReference(rest);
    if (reference.digest) refuse('these archives know no digests', 'Name the tag, or write :@0, :@1, ….');
    return { transport, path, reference };
  },
  format,
  async openSource({ path, reference, index }, options) {
    const { openDockerArchive } = await import('./docker-archive-source.ts');
    const archive = await openDockerArchive(path, options);
    const wanted = { ...(reference && { reference }), ...(index !== undefined && { index }) };
    const source = await standingOn(archive, () => archive.source(wanted));
    const names = archive.images.at(archive.images.length === 1 ? 0 : (index ?? archive.images.length))?.names ?? [];
    const name = ownName(reference ? formatReference(reference) : names[0]);
    return { source, owner: archive, ...(name && { name }) };
  },
  async openSink(location, options) {
    if (location.index !== undefined) throw cannotPut(`docker-archive:${format(location)}`, NAME_IT);
    const { dockerArchiveSink } = await import('./docker-archive-sink.ts');
    const { path, reference } = location;
    return { sink: dockerArchiveSink(path, options), ...(reference && { name: reference }) };
  },
  async openAll({ path, reference, index }, options) {
    if (reference || index !== undefined) return undefined;
    const { openDockerArchive } = await import('./docker-archive-source.ts');
    return await openDockerArchive(path, options);
  },
};

function format({ path, reference, index }: DockerArchiveLocation): string {
  return `${path}${reference ? `:${formatReference(reference)}` : index === undefined ? '' : `:@${index}`}`;
}
