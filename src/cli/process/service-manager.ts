// What systemd gives a service, and wants to be told by it: sockets that are bound already (sd_listen_fds(3)), and the state of the service (sd_notify(3)), which is
// said by systemd-notify because Node has no datagram sockets.
import { spawn } from 'node:child_process';
import type { InheritedSocket } from '../../tasks/private-registry/listen-addresses.ts';
import type { Environment } from '../../tasks/settings.ts';

const FIRST_DESCRIPTOR = 3;
/** More are a mistake. */
const MOST_SOCKETS = 100;

/** The sockets that this process was given; none if they are another's. */
export function inheritedSockets(env: Environment, pid: number = process.pid): readonly InheritedSocket[] {
  const count = Number(env.LISTEN_FDS);
  if (env.LISTEN_PID !== String(pid) || !Number.isInteger(count) || count < 1 || count > MOST_SOCKETS) return [];
  const names = env.LISTEN_FDNAMES?.split(':') ?? [];
  return Array.from({ length: count }, (_, at) => {
    const name = names[at];
    return { fd: FIRST_DESCRIPTOR + at, ...(name !== undefined && { name }) };
  });
}

/** Tells systemd; does nothing where the process is no service with `Type=notify`. Disposing ends what is told from time to time. */
export interface ServiceManager extends Disposable {
  /** It answers. `status`: one line for `systemctl status`. From now on it says that it is alive, if the unit has WatchdogSec=. */
  ready(status: string): void;
  /** Followed by `ready`. */
  reloading(): void;
  stopping(): void;
}

export interface ServiceManagerOptions {
  /** One line for the log: systemd cannot be told. */
  readonly onNotice: (text: string) => void;
  readonly pid?: number;
}

export function serviceManager(
  env: Environment,
  { onNotice, pid = process.pid }: ServiceManagerOptions,
): ServiceManager {
  if (!env.NOTIFY_SOCKET) {
    return { ready: () => {}, reloading: () => {}, stopping: () => {}, [Symbol.dispose]: () => {} };
  }
  let watchdog: NodeJS.Timeout | undefined;
  let isTold = false;
  let last: Promise<unknown> = Promise.resolve();
  const run = async (args: readonly string[]) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const child = spawn('systemd-notify', args, { stdio: 'ignore', env });
    const failed = (why: string) => {
      if (!isTold) onNotice(`systemd is not told of the state of the service: ${why}`);
      isTold = true;
    };
    child.on('error', ({ message }) => {
      failed(message);
      resolve();
    });
    child.on('exit', (status) => {
      if (status) failed(`systemd-notify ends with status ${status}`);
      resolve();
    });
    child.unref();
    await promise;
  };
  // One after the other, or the last one said would not be the last one heard.
  const notify = (...args: readonly string[]) => {
    last = last.then(() => run(args));
  };
  const watch = () => {
    const microseconds = Number(env.WATCHDOG_USEC);
    const isOurs = env.WATCHDOG_PID === undefined || env.WATCHDOG_PID === String(pid);
    if (watchdog || !isOurs || !(microseconds > 0)) return;
    watchdog = setInterval(() => notify('WATCHDOG=1'), microseconds / 1000 / 2).unref();
  };
  return {
    ready: (status) => {
      notify('--ready', `--status=${status}`);
      watch();
    },
    // Type=notify-reload wants to know when; systemd-notify of before version 253 has no option for it.
    reloading: () => notify('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: () => {
      clearInterval(watchdog);
      // Not after the others: the process may end before it is its turn.
      void run(['STOPPING=1']);
    },
    [Symbol.dispose]: () => clearInterval(watchdog),
  };
}
