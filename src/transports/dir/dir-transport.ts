// `dir:DIR`: an image as skopeo's directory of blobs.
import type { ListedTransport } from '../transport.ts';

export interface DirLocation {
  readonly transport: 'dir';
  readonly path: string;
}

export const dir: ListedTransport<DirLocation> = {
  name: 'dir',
  form: 'dir:DIR',
  usage: 'dir:DIR',
  help: 'a directory of blobs',
  paths: 'directories',
  parse(details, refuse) {
    if (details === '') refuse('no directory');
    return { transport: 'dir', path: details };
  },
  format: ({ path }) => path,
  async openSource({ path }) {
    const { dirSource } = await import('./dir-source.ts');
    return { source: dirSource(path) };
  },
  async openSink({ path }) {
    const { dirSink } = await import('./dir-sink.ts');
    return { sink: dirSink(path) };
  },
};
