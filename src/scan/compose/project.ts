// A Compose project: a base file with its overrides, and its variables.
import type { ScannedDocument } from '../contract.ts';
import type { Variables } from '../variables.ts';

export interface Project {
  /** The first file is the base. The others are merged over it. */
  readonly files: readonly string[];
  readonly directory: string;
  readonly variables: Variables;
  readonly doubt?: string;
}

/** Returns the document of a Compose file, whatever the file name is. */
export type Open = (file: string) => Promise<ScannedDocument | undefined>;
