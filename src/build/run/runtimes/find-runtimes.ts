// The runtimes whose programs this machine has, best first: how well they shut in, then how far they can go.
import type { RuntimeName } from '../contract.ts';
import type { Programs } from '../programs.ts';
import { bwrap } from './bwrap.ts';
import type { Runtime } from './contract.ts';
import { ociRuntime } from './oci-runtime.ts';
import { unshareRuntime } from './unshare.ts';

export async function findRuntimes(programs: Programs, only?: RuntimeName): Promise<readonly Runtime[]> {
  const [runc, crun, bubblewrap, unshare, setpriv] = await Promise.all(
    ['runc', 'crun', 'bwrap', 'unshare', 'setpriv'].map((name) => programs.find(name)),
  );
  const found = [
    // Written in C, it has begun before the other has.
    crun && ociRuntime('crun', crun),
    runc && ociRuntime('runc', runc),
    bubblewrap && setpriv && bwrap(bubblewrap, setpriv),
    unshare && setpriv && unshareRuntime({ unshare, setpriv }),
  ].filter((runtime) => typeof runtime === 'object');
  return only ? found.filter(({ name }) => name === only) : found;
}
