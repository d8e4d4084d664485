// The runtimes that are installed on this machine, best first: ordered by isolation, then by features.
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
    // crun is written in C and starts faster than runc.
    crun && ociRuntime('crun', crun),
    runc && ociRuntime('runc', runc),
    bubblewrap && setpriv && bwrap(bubblewrap, setpriv),
    unshare && setpriv && unshareRuntime({ unshare, setpriv }),
  ].filter((runtime) => typeof runtime === 'object');
  return only ? found.filter(({ name }) => name === only) : found;
}
