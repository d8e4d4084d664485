// The rules about an image: its parts are there, containerd keeps them, and CRI finds it. Pure.
import { formatReference, fullReference, tryParseReference } from '../../../oci/reference.ts';
import type { ContainerdArchive } from '../containerd-archive.ts';
import { MAX_LAYERS } from '../containerd-images.ts';
import type { Labels } from '../containerd-records.ts';
import type { FoundImage } from '../list-containerd.ts';
import { NAMESPACE } from '../store-places.ts';
import { type ContainerdProblem, containerdProblem } from './containerd-problem.ts';

export interface CheckedImage {
  readonly problems: readonly ContainerdProblem[];
  readonly notes: readonly string[];
}

/** What is in a store, for the checks of all its images. */
export interface StoredFacts {
  /** The chain ids of what is unpacked. */
  readonly snapshots: ReadonlySet<string>;
  /** Of images in CRI's namespace. */
  readonly criNames: ReadonlyMap<string, Labels>;
}

export function storedFacts({ meta }: ContainerdArchive): StoredFacts {
  const forCri = meta.names.filter(({ namespace }) => namespace === NAMESPACE);
  return {
    snapshots: new Set(meta.snapshots.map(({ chain }) => chain)),
    criNames: new Map(forCri.map(({ name, labels }) => [name, labels])),
  };
}

export function checkStoredImage(
  archive: ContainerdArchive,
  image: FoundImage,
  { snapshots, criNames }: StoredFacts,
): CheckedImage {
  const { manifest, config, digest, chain } = image;
  const problems: ContainerdProblem[] = [];
  const notes: string[] = [];
  const add = (rule: ContainerdProblem['rule'], text: string) => problems.push(containerdProblem(rule, text));
  checkNames(criNames, image, add);
  if (!manifest) {
    add('image-target', `no manifest is there behind ${digest}, or none that can be read`);
    return { problems, notes };
  }
  if (!config) {
    add('image-target', `its config is not there, or cannot be read [${manifest.config.digest}]`);
    return { problems, notes };
  }
  const labels = (one: string) => Object.entries(archive.labels(one));
  const leads = (from: string, prefix: string, to: string | undefined) =>
    to === undefined || labels(from).some(([key, value]) => key.startsWith(prefix) && value === to);
  const { manifestDigest = '' } = image;
  if (digest !== manifestDigest && !leads(digest, 'containerd.io/gc.ref.content', manifestDigest))
    add('keeping', `no label leads from ${digest} to ${manifestDigest}`);
  if (!leads(manifestDigest, 'containerd.io/gc.ref.content', manifest.config.digest))
    add('keeping', `no label leads from ${manifestDigest} to its config`);
  if (!leads(manifest.config.digest, 'containerd.io/gc.ref.snapshot.overlayfs', chain.at(-1)))
    add('keeping', `no label leads from the config ${manifest.config.digest} to snapshot ${chain.at(-1)}`);
  if (Math.max(chain.length, manifest.layers.length) > MAX_LAYERS) {
    add('chain', `an image of ${chain.length} layers cannot be mounted`);
    return { problems, notes };
  }
  for (const [at, one] of chain.entries()) {
    if (!snapshots.has(one)) add('chain', `layer ${at + 1} is not unpacked: there is no snapshot ${one}`);
  }
  const absent = manifest.layers.filter((layer) => archive.blob(layer.digest) === undefined);
  if (absent.length > 0) {
    notes.push(
      `${absent.length} of ${manifest.layers.length} layers have no blob: it can be run, but not pushed or exported`,
    );
  }
  for (const { digest: layer } of manifest.layers) {
    const isKept =
      absent.some((one) => one.digest === layer) || leads(manifestDigest, 'containerd.io/gc.ref.content', layer);
    if (!isKept) add('keeping', `no label leads from ${manifestDigest} to its layer ${layer}`);
  }
  return { problems, notes };
}

function checkNames(
  own: StoredFacts['criNames'],
  { allNames, names, digest, manifest }: FoundImage,
  add: (rule: ContainerdProblem['rule'], text: string) => void,
): void {
  // What is not in CRI's namespace is not for CRI.
  if (!allNames.some((name) => own.has(name))) return;
  const wanted = manifest ? [manifest.config.digest as string] : [];
  for (const name of names) {
    const reference = tryParseReference(name);
    const full = reference && formatReference(fullReference(reference));
    if (full !== name) add('name', `[${name}] is not whole${full ? `, ${full} would be` : ''}`);
    else if (reference && !name.includes('@')) wanted.push(`${reference.host}/${reference.path}@${digest}`);
  }
  for (const name of wanted) if (!own.has(name)) add('cri-names', `it has no name ${name}`);
  for (const name of allNames) {
    const labels = own.get(name);
    if (!labels) continue;
    if (labels['io.cri-containerd.image'] !== 'managed')
      add('cri-names', `${name} has no label io.cri-containerd.image`);
    if (labels['io.cri-containerd.pinned'] !== 'pinned')
      add('cri-names', `${name} is not pinned: kubelet may remove it`);
  }
}
