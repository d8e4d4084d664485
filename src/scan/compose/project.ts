// A Compose project: files that lie over each other, and what their variables are.
import type { ScannedDocument } from '../contract.ts';
import type { Variables } from '../variables.ts';

export interface Project {
  /** The first is the base, the others lie over it. */
  readonly files: readonly string[];
  readonly directory: string;
  readonly variables: Variables;
  readonly doubt?: string;
}

/** The document of a Compose file, whatever its name is. */
export type Open = (file: string) => Promise<ScannedDocument | undefined>;
