// What the parts of the contract of a Registry have in common.
import type { Registry } from '../../../src/registry/contract.ts';

/** What some registries cannot do. Absent: it can. */
export interface RegistryAbilities {
  /** A broken-off `putBlob` keeps its bytes. */
  readonly keepsPartialBlobs?: boolean;
  readonly sparseIndexes?: boolean;
  readonly referrers?: boolean;
  readonly deletes?: boolean;
  /** Says by itself which blobs it lacks, before a manifest is stored. */
  readonly checksBlobs?: boolean;
}

export interface RegistrySuite {
  readonly name: string;
  can(ability: keyof RegistryAbilities): boolean;
  /** That of the test that runs: an empty one at its beginning. */
  registry(): Registry;
}

/** The code of the error that the work ends in; `undefined` when it succeeds. */
export async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}
