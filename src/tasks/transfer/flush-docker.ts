// `docker_flush`: removes all containers and images of the Docker daemon.
import { checkArguments, FUNCTION } from '../../oci/arguments.ts';
import { dockerDaemon } from '../../transports/docker-daemon/daemon.ts';
import { noDaemon } from '../../transports/docker-daemon/daemon-transport.ts';
import { type FlushEvent, type FlushResult, flushDaemon } from '../../transports/docker-daemon/flush.ts';
import { SETTINGS } from '../arguments.ts';
import { callOptions, httpOptions, type Settings } from '../settings.ts';

/** Removes all containers and images of the Docker daemon. Errors: NOT_RUNNING, and the daemon's. */
export async function flushDocker(settings: Settings, onEvent: (event: FlushEvent) => void): Promise<FlushResult> {
  checkArguments({ settings: [settings, SETTINGS], onEvent: [onEvent, FUNCTION] });
  using daemon = await dockerDaemon({ ...settings, ...httpOptions(settings) });
  if (!daemon) throw noDaemon();
  return await flushDaemon(daemon, { ...callOptions(settings), onEvent });
}
