// `docker_flush`: removes all containers and images of the Docker daemon.
import { dockerDaemon } from '../../transports/docker-daemon/daemon.ts';
import { noDaemon } from '../../transports/docker-daemon/daemon-transport.ts';
import { type FlushEvent, type FlushResult, flushDaemon } from '../../transports/docker-daemon/flush.ts';
import { callOptions, type TaskCall, type World } from '../settings.ts';

/** Removes all containers and images of the Docker daemon. Errors: NOT_RUNNING, and the daemon's. */
export async function flushDocker(
  settings: World & TaskCall,
  onEvent: (event: FlushEvent) => void,
): Promise<FlushResult> {
  using daemon = await dockerDaemon(settings);
  if (!daemon) throw noDaemon();
  return await flushDaemon(daemon, { ...callOptions(settings), onEvent });
}
