// What deploys a chart of the tree with values of its own: a seam for the objects and files of many programs.
import type { FileTree, Warning } from '../../contract.ts';
import type { DataByName } from '../../object-data.ts';
import type { Dictionary } from '../template/values.ts';

export interface Release {
  /** The directory of the chart, or the file that it is packed in. */
  readonly chart: string;
  /** Where it stands in the object itself. */
  readonly packed?: Uint8Array;
  /** The file that deploys it. */
  readonly file: string;
  readonly line: number;
  /** All layers, merged. */
  readonly values: Dictionary;
  /** Some of its values are not here. */
  readonly doubt?: string;
}

/** An object or a file that may deploy a chart, as Helm would read it. */
export interface ReleaseCandidate {
  readonly file: string;
  readonly value: Dictionary;
  /** The line at which the object begins. */
  readonly line: number;
  /** Why it may say something else. */
  readonly doubt?: string;
}

export interface ReleaseSurroundings {
  readonly tree: FileTree;
  /** Tells what is left out. */
  readonly warn: (warning: Warning) => void;
  /** ConfigMaps and Secrets that hold values. */
  readonly data: DataByName;
  /** HelmReleases that only change others, by their names. */
  readonly patches: ReadonlyMap<string, readonly ReleaseCandidate[]>;
  /** Flux's HelmCharts, by their names. */
  readonly charts: ReadonlyMap<string, readonly ReleaseCandidate[]>;
  /** HelmChartConfigs, by the names of what they change. */
  readonly configs: ReadonlyMap<string, readonly ReleaseCandidate[]>;
}

/** Yields what a candidate deploys; a chart that is elsewhere is none of it. */
export type ReadReleases = (candidate: ReleaseCandidate, around: ReleaseSurroundings) => Promise<readonly Release[]>;
