// A release deploys a chart of the tree with its own values. This interface is implemented for the objects and files of many programs.
import type { FileTree, Warning } from '../../contract.ts';
import type { DataByName } from '../../object-data.ts';
import type { Dictionary } from '../template/values.ts';

export interface Release {
  /** The directory of the chart, or the file into which it is packed. */
  readonly chart: string;
  /** The packed chart, if the object itself contains it. */
  readonly packed?: Uint8Array;
  /** The file that deploys the chart. */
  readonly file: string;
  readonly line: number;
  /** The merged values of all layers. */
  readonly values: Dictionary;
  /** Why the values may be incomplete. */
  readonly doubt?: string;
}

/** An object or a file that may deploy a chart, parsed as Helm would. */
export interface ReleaseCandidate {
  readonly file: string;
  readonly value: Dictionary;
  /** The line at which the object begins. */
  readonly line: number;
  /** Why its content may be different in reality. */
  readonly doubt?: string;
}

export interface ReleaseSurroundings {
  readonly tree: FileTree;
  /** Reports what is left out. */
  readonly warn: (warning: Warning) => void;
  /** ConfigMaps and Secrets with values. */
  readonly data: DataByName;
  /** HelmReleases that only patch others, by name. */
  readonly patches: ReadonlyMap<string, readonly ReleaseCandidate[]>;
  /** Flux's HelmCharts, by name. */
  readonly charts: ReadonlyMap<string, readonly ReleaseCandidate[]>;
  /** HelmChartConfigs, by the name of the chart that they change. */
  readonly configs: ReadonlyMap<string, readonly ReleaseCandidate[]>;
}

/** Returns the releases of a candidate. Charts that are elsewhere are not among them. */
export type ReadReleases = (candidate: ReleaseCandidate, around: ReleaseSurroundings) => Promise<readonly Release[]>;
