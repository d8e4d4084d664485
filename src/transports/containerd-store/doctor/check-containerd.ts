// Checks a store of containerd in an archive: every digest, and every rule that containerd enforces or depends on. Reports all problems, and the parts that have none.
import type { CallOptions } from '../../../io/streams/bytes.ts';
import type { ContainerdArchive } from '../containerd-archive.ts';
import { imagesInContainerd } from '../list-containerd.ts';
import { checkContent } from './check-content.ts';
import { checkStoredImage, storedFacts } from './check-image.ts';
import { checkPlaces } from './check-places.ts';
import { checkSnapshots } from './check-snapshots.ts';
import { checkTrees } from './check-trees.ts';
import type { ContainerdProblem } from './containerd-problem.ts';

export interface ExaminedContainerd {
  /** `store`, `snapshot 3`, `image docker.io/library/alpine:3.20`. */
  readonly what: string;
  readonly problems: readonly ContainerdProblem[];
  readonly notes?: readonly string[];
}

export interface ExamineContainerdOptions extends CallOptions {
  /** The archive was made from a file system whose times are in whole seconds. */
  readonly wholeSeconds?: boolean;
  readonly onPart?: (part: ExaminedContainerd) => void;
}

/** The parts in order: the store, its snapshots, its images. Errors: only those of reading the file. */
export async function examineContainerd(
  archive: ContainerdArchive,
  options: ExamineContainerdOptions,
): Promise<readonly ExaminedContainerd[]> {
  const parts: ExaminedContainerd[] = [];
  const note = (part: ExaminedContainerd): void => {
    parts.push(part);
    options.onPart?.(part);
  };
  const images = await imagesInContainerd(archive);
  const snapshots = checkSnapshots(archive);
  note({
    what: 'store',
    problems: [...checkPlaces(archive), ...(await checkContent(archive, options)), ...snapshots.store],
  });
  for await (const { id, problems } of checkTrees(archive, images, options)) {
    note({ what: `snapshot ${id}`, problems: [...(snapshots.byId.get(id) ?? []), ...problems] });
  }
  const facts = storedFacts(archive);
  for (const image of images) {
    const { problems, notes } = checkStoredImage(archive, image, facts);
    note({
      what: `image ${image.names[0] ?? image.id}`,
      problems,
      ...(notes.length > 0 && { notes }),
    });
  }
  return parts;
}
