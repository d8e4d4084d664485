// Signals to the registry that runs.
import { ImagesError } from '../../oci/errors.ts';
import type { RegistryState } from './registry-record.ts';

/** Does nothing if it has ended. Errors: NO_ACCESS. */
export function signalRegistry(state: RegistryState, signal: 'SIGTERM' | 'SIGKILL' | 'SIGHUP' | 'SIGQUIT'): void {
  try {
    process.kill(state.pid, signal);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ESRCH') return;
    throw new ImagesError('NO_ACCESS', `the embedded registry belongs to another user [pid ${state.pid}]`, {
      hint: `Run it as user ${state.uid}.`,
      cause,
    });
  }
}
