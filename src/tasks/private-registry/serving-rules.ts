// What a registry that runs goes by, as it is now: what it was started with comes before its configuration, which may change while it runs.
import type { OnNotice } from '../../observe/observation.ts';
import type { World } from '../settings.ts';
import type { AccessConfig } from './access-config.ts';
import { inOneLine } from './in-one-line.ts';
import { requireProxy, type ServedProxy, servedProxy } from './proxy-config.ts';
import type { CollectionSchedule, ConfigReading, RegistryConfig, ScrubSchedule } from './registry-config.ts';
import { accessSettings } from './serving-access.ts';
import type { ServingOptions } from './serving-options.ts';
import { watchConfig } from './watched-config.ts';

/** Each property is a getter: ask again each time. Disposing ends the looks at the file. */
export interface ServingRules extends Disposable {
  readonly config: RegistryConfig;
  readonly gc: CollectionSchedule;
  readonly scrub: ScrubSchedule;
  /** The same object until something changes. */
  readonly access: AccessConfig;
  /** The same object until something changes; `undefined`: nothing is fetched. */
  readonly proxy: ServedProxy | undefined;
  /** The configuration as it was read last. */
  readonly reading: ConfigReading;
  /** The file that has it, whether it is there or not. */
  readonly file: string;
  /** As `WatchedConfig.reload`; also whether users log in, and with which file, is decided anew. */
  reload(prepare: (next: NextRules) => Promise<() => void>): Promise<void>;
}

/** What is about to be gone by. */
export interface NextRules {
  readonly reading: ConfigReading;
  /** The file of users; absent if nobody will log in. */
  readonly htpasswd: string | undefined;
}

export interface StartedWith extends ServingOptions {
  /** Told when the configuration changes, and why a changed one is not used. */
  readonly onNotice?: OnNotice;
  /** Called when the configuration has changed. */
  readonly onChange?: () => void;
}

/** Errors: CONFIG_INVALID, FILE_UNREADABLE. */
export async function servingRules(
  data: string,
  { gc, scrub, onNotice, onChange, proxy, ttl, offline, ...options }: StartedWith,
  settings: Pick<World, 'config'>,
): Promise<ServingRules> {
  const watched = await watchConfig(data, {
    named: settings.config,
    isAlone: options.auth === undefined,
    onChange: (changed) => {
      const next = accessSettings(options, changed.access).htpasswd;
      if (next !== htpasswd) onNotice?.(waitingLogins(htpasswd, next), 'warn');
      onChange?.();
    },
    onBroken: (error) => onNotice?.(`the configuration has changed and is not used: ${inOneLine(error)}`, 'warn'),
  });
  const proxying = {
    ...(proxy && { proxy }),
    ...(ttl !== undefined && { ttl }),
    ...(offline !== undefined && { offline }),
  };
  let proxiedBy = watched.current.proxy;
  let served = servedProxy(proxying, proxiedBy);
  try {
    requireProxy(proxying, served);
  } catch (error) {
    watched[Symbol.dispose]();
    throw error;
  }
  let before: RegistryConfig | undefined;
  let access: AccessConfig = accessSettings(options, watched.current.access);
  // Whether one can log in is decided at start, and when somebody asks for a reload: a file that is lost must not open the registry.
  let { htpasswd } = access;
  return {
    get access() {
      if (watched.current !== before) {
        const { htpasswd: _, ...changed } = accessSettings(options, watched.current.access);
        access = { ...changed, ...(htpasswd !== undefined && { htpasswd }) };
      }
      before = watched.current;
      return access;
    },
    get config() {
      return watched.current;
    },
    get reading() {
      return watched.reading;
    },
    file: watched.file,
    reload: (prepare) =>
      watched.reload(async (reading) => {
        const next = accessSettings(options, reading.config.access).htpasswd;
        const use = await prepare({ reading, htpasswd: next });
        return () => {
          htpasswd = next;
          use();
        };
      }),
    get proxy() {
      if (watched.current.proxy !== proxiedBy) {
        proxiedBy = watched.current.proxy;
        served = servedProxy(proxying, proxiedBy);
      }
      return served;
    },
    get gc() {
      return gc ?? watched.current.gc ?? 'daily';
    },
    get scrub() {
      return scrub ?? watched.current.scrub ?? 'weekly';
    },
    [Symbol.dispose]: () => watched[Symbol.dispose](),
  };
}

/** A registry that is told of other users goes on with those that it was started with: to whoever takes them away, that has to be said. */
function waitingLogins(now: string | undefined, next: string | undefined): string {
  const logins = now === undefined ? 'nobody can log in' : `users log in with ${now}`;
  const then = next === undefined ? 'without `auth` nobody could' : `the configuration names ${next}`;
  return `until \`images lreg_reload\` or a restart ${logins}: ${then}`;
}
