// Shared by the parts of the Registry contract.
import type { Registry } from '../../../src/registry/contract.ts';

/** What some registries cannot do. An absent field means `true`. */
export interface RegistryAbilities {
  /** Keeps the bytes of a `putBlob` that broke off. */
  readonly keepsPartialBlobs?: boolean;
  readonly sparseIndexes?: boolean;
  readonly referrers?: boolean;
  readonly deletes?: boolean;
  /** Refuses a manifest whose blobs are missing. */
  readonly checksBlobs?: boolean;
}

export interface RegistrySuite {
  readonly name: string;
  can(ability: keyof RegistryAbilities): boolean;
  /** The registry of the current test, which begins with an empty one. */
  registry(): Registry;
}

/** The code of the error with which `work` fails; `undefined` if it succeeds. */
export async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}
