// A location for each transport that keeps images in files, and a copy from any to any.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parsePlatformChoice } from '../../oci/platform.ts';
import type { Reference } from '../../oci/reference.ts';
import { ociArchiveSink } from '../../transports/archive/oci-archive-sink.ts';
import { openOciArchive } from '../../transports/archive/oci-archive-source.ts';
import type { ImageSink, ImageSource } from '../../transports/contract.ts';
import { dirSink } from '../../transports/dir/dir-sink.ts';
import { dirSource } from '../../transports/dir/dir-source.ts';
import { dockerArchiveSink } from '../../transports/docker-archive/docker-archive-sink.ts';
import { openDockerArchiveImage } from '../../transports/docker-archive/docker-archive-source.ts';
import { ociSink } from '../../transports/layout/layout-sink.ts';
import { ociSource } from '../../transports/layout/layout-source.ts';
import { type CopyResult, executePlan } from '../execute.ts';
import { planCopy } from '../plan.ts';

export interface TestLocation {
  /** The location in skopeo's form. */
  readonly text: string;
  sink(): ImageSink;
  source(): Promise<ImageSource>;
}

export type FileTransport = 'oci' | 'oci-archive' | 'dir' | 'docker-archive';

export const FILE_TRANSPORTS: readonly FileTransport[] = ['oci', 'oci-archive', 'dir', 'docker-archive'];

/** A location for one image. In skopeo's text, it has the tag `1` if it can have one. */
export function testLocation(kind: FileTransport, directory: string, label: string): TestLocation {
  const path = join(directory, `${kind}-${label}`);
  const text = `${kind}:${path}`;
  switch (kind) {
    case 'oci':
      return {
        text: `${text}:1`,
        sink: () => ociSink(path, { ref: '1' }),
        source: async () => ociSource({ path, ref: '1' }),
      };
    case 'oci-archive':
      return {
        text: `${text}:1`,
        sink: () => ociArchiveSink(path, { temporaryDirectory: tmpdir(), ref: '1' }),
        source: () => openOciArchive({ path, ref: '1' }, { temporaryDirectory: tmpdir() }),
      };
    case 'dir':
      return { text, sink: () => dirSink(path), source: async () => dirSource(path) };
    case 'docker-archive':
      return {
        text: `${text}:quay.io/x/app:1`,
        sink: () => dockerArchiveSink(path, { temporaryDirectory: tmpdir() }),
        source: () => openDockerArchiveImage(path, { reference: IMAGE_NAME }, { temporaryDirectory: tmpdir() }),
      };
  }
}

/** The name of the image at the destination. */
export const IMAGE_NAME: Reference = { host: 'quay.io', path: 'x/app', tag: '1' };

export interface CopyChoices {
  readonly platforms?: string;
  readonly referrers?: boolean;
  readonly name?: Reference;
}

export interface CopiedWithNotes extends CopyResult {
  readonly notes: readonly string[];
}

/** Closes source and sink. */
export async function copyOne(
  source: ImageSource,
  sink: ImageSink,
  options: CopyChoices = {},
): Promise<CopiedWithNotes> {
  await using from = source;
  await using to = sink;
  const plan = await planCopy([{ name: options.name ?? IMAGE_NAME, source: from }], to, {
    platforms: parsePlatformChoice(options.platforms ?? 'linux/amd64'),
    referrers: options.referrers ?? false,
  });
  // Source and sink stay open until the copy is done.
  const notes: string[] = [];
  const result = await executePlan(plan, to, { onEvent: (event) => event.type === 'note' && notes.push(event.text) });
  return { ...result, notes };
}
