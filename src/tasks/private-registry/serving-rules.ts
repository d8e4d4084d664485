// What a registry that runs goes by, as it is now: what it was started with comes before its configuration, which may change while it runs.
import type { OnNotice } from '../../observe/observation.ts';
import type { World } from '../settings.ts';
import type { AccessConfig } from './access-config.ts';
import { configFile } from './config-file.ts';
import { inOneLine } from './in-one-line.ts';
import { type ProxyOptions, requireProxy, type ServedProxy, servedProxy } from './proxy-config.ts';
import type { CollectionSchedule, RegistryConfig, ScrubSchedule } from './registry-config.ts';
import { type AccessOptions, accessSettings } from './serving-access.ts';
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
}

export interface StartedWith extends AccessOptions, ProxyOptions {
  /** Default: what the configuration says, else daily. */
  readonly gc?: CollectionSchedule;
  /** Default: what the configuration says, else weekly. */
  readonly scrub?: ScrubSchedule;
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
      onNotice?.(`the configuration has changed: ${configFile(data, settings.config)}`);
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
  // Whether one can log in is decided at start.
  const { htpasswd } = access;
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
  return `until the registry is restarted ${logins}: ${then}`;
}
