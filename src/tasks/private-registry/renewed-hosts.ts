// The hosts from which a registry fetches while it serves. They are opened anew now and then: so a login, or another change of what its user has configured, counts
// without a restart, and what is kept of each host that somebody has asked for does not pile up.
import type { FullReference } from '../../oci/reference.ts';
import type { Registry } from '../../registry/contract.ts';
import type { RetirableHosts } from './registry-clients.ts';

export interface RenewedHosts extends AsyncDisposable {
  /** Errors: those of opening, which is tried again next time; UNSUPPORTED. */
  registryOf(name: FullReference): Promise<Registry>;
  /** Opens them before somebody asks, who need not wait for that then. */
  warmUp(): void;
  /** What is configured may be out of date: it is read again soon. */
  doubt(): void;
}

/** Milliseconds after which files are read again. */
const RENEW = 5 * 60_000;
/** The same where a host has refused something, or a file was broken. */
const DOUBTED = 10_000;
const MOST_HOSTS = 1000;

interface Opened {
  readonly hosts: Promise<RetirableHosts>;
  readonly since: number;
  readonly asked: Set<string>;
}

export function renewedHosts(
  open: () => Promise<RetirableHosts>,
  now: () => number = () => performance.now(),
): RenewedHosts {
  let current: Opened | undefined;
  let isDoubted = false;

  const isOld = ({ since, asked }: Opened): boolean => {
    const age = now() - since;
    return age >= RENEW || (isDoubted && age >= DOUBTED) || asked.size >= MOST_HOSTS;
  };
  const opened = (): Opened => {
    if (current && !isOld(current)) return current;
    current?.hosts.then(
      (hosts) => hosts.retire(),
      () => {},
    );
    isDoubted = false;
    const one: Opened = { hosts: open(), since: now(), asked: new Set() };
    one.hosts.catch(() => {
      if (current === one) current = undefined;
    });
    current = one;
    return one;
  };

  return {
    registryOf: async (name) => {
      const { hosts, asked } = opened();
      asked.add(name.host);
      return (await hosts).registryOf(name);
    },
    // It fails once more when somebody asks, and is told then.
    warmUp: () => void opened().hosts.catch(() => {}),
    doubt: () => {
      isDoubted = true;
    },
    [Symbol.asyncDispose]: async () => {
      const hosts = await current?.hosts.catch(() => undefined);
      await hosts?.[Symbol.asyncDispose]();
    },
  };
}
