// What a garbled tag said, if that is known for certain.
import type { Digest } from '../../oci/digest.ts';
import { listTagStates } from '../repositories/list-manifests.ts';
import type { Look } from './look.ts';

/** The digest that the recorded full name of this tag has, or the only one that the tag has ever had; else `undefined`. */
export async function saidByTag({ store }: Look, repository: string, tag: string): Promise<Digest | undefined> {
  const states = new Set(await Array.fromAsync(listTagStates(store.objects, repository, tag)));
  const recorded = new Set((await store.names.hostsOf(repository, tag)).map(({ digest }) => digest));
  const known = recorded.size > 0 ? recorded : states;
  const [only] = known;
  return known.size === 1 && (recorded.size === 0 || (only !== undefined && states.has(only))) ? only : undefined;
}
