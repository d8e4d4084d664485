// Reads the configuration of a registry that runs again when its operator asks for it, without ending a request; and records what it goes by, and how that went.
import type { OnNotice } from '../../observe/observation.ts';
import { isImagesError } from '../../oci/errors.ts';
import { CONFIG_KEYS } from './config-keys.ts';
import { type EffectiveSetting, effectiveSettings, isSameSetting } from './effective-settings.ts';
import { inOneLine } from './in-one-line.ts';
import type { ConfigReading } from './registry-config.ts';
import type { RegistryState } from './registry-record.ts';
import type { PreparedPart, Renewing } from './renewed-parts.ts';
import { tlsSettings } from './served-options.ts';
import { isTlsWanted, type TlsOptions } from './served-tls.ts';
import type { ServingOptions } from './serving-options.ts';
import {
  type ReloadAnswer,
  type Reloaded,
  removeServingRecord,
  type SettingChange,
  writeServingRecord,
} from './serving-record.ts';
import type { ServingRules } from './serving-rules.ts';

export interface ServingReload {
  /** Of several that are asked for while one is under way, one more is made. Errors: those of the configuration, and of the files that it names. */
  reload(): Promise<Reloaded>;
  /** To be called when the configuration was read again because its file has changed. */
  changed(): void;
  /** Removes the record. */
  end(): void;
}

export interface ServingReloadOptions {
  readonly options: ServingOptions;
  readonly rules: ServingRules;
  readonly access: Renewing<string | undefined>;
  readonly certificates?: Renewing<TlsOptions> | undefined;
  /** Absent for a store that nobody can write to: nothing is recorded. */
  readonly recorded?: RegistryState | undefined;
  readonly onNotice: OnNotice;
  /** Called after a reload. */
  readonly onReloaded: () => void;
}

export function servingReload({ options, rules, onNotice, ...parts }: ServingReloadOptions): ServingReload {
  const { access, certificates, recorded } = parts;
  let settings = effectiveSettings(options, rules.reading);
  let last: ReloadAnswer | undefined;
  let hasEnded = false;
  const record = () => {
    if (!recorded || hasEnded) return;
    try {
      writeServingRecord(recorded, { file: rules.file, settings, ...(last && { reload: last }) });
    } catch (error) {
      onNotice(`what the registry goes by is not recorded: ${inOneLine(error)}`, 'warn');
    }
  };

  async function prepared(reading: ConfigReading, htpasswd: string | undefined): Promise<readonly PreparedPart[]> {
    const tls = tlsSettings(options, reading.config.tls);
    const made = [await access.prepare(htpasswd)];
    try {
      if (certificates) made.push(await certificates.prepare(tls));
    } catch (error) {
      for (const part of made) part.discard();
      throw error;
    }
    return made;
  }

  async function reloadNow(): Promise<Reloaded> {
    const begun = String(process.hrtime.bigint());
    const { file } = rules;
    try {
      let outcome: Pick<Reloaded, 'changed' | 'waiting'> = { changed: [], waiting: [] };
      const uses: (void | Promise<void>)[] = [];
      await rules.reload(async ({ reading, htpasswd }) => {
        const wanted = effectiveSettings(options, reading);
        const parts = await prepared(reading, htpasswd);
        return () => {
          for (const part of parts) uses.push(part.use());
          const next = merged(settings, wanted, (key) => !waits(key, wanted, certificates !== undefined));
          outcome = { changed: changes(settings, next), waiting: changes(next, wanted) };
          settings = next;
        };
      });
      await Promise.all(uses);
      last = { begun, done: outcome };
      onNotice(noticeOf(outcome));
      parts.onReloaded();
      return { file, ...outcome };
    } catch (error) {
      onNotice(`the configuration was not read again, all stays as it is: ${inOneLine(error)}`, 'warn');
      const { code, message, hint } = isImagesError(error)
        ? error
        : { code: 'SERVER_ERROR', message: String(error), hint: undefined };
      last = { begun, failed: { code, message, ...(hint !== undefined && { hint }) } };
      throw error;
    } finally {
      record();
    }
  }

  let running: Promise<Reloaded> | undefined;
  let next: Promise<Reloaded> | undefined;
  const reload = (): Promise<Reloaded> => {
    if (next) return next;
    const begin = () => {
      next = undefined;
      running = reloadNow().finally(() => {
        running = undefined;
      });
      return running;
    };
    if (!running) return begin();
    next = running.then(begin, begin);
    return next;
  };

  record();
  return {
    reload,
    changed: () => {
      settings = merged(settings, effectiveSettings(options, rules.reading), (key) => holdsSoon(key));
      record();
    },
    end: () => {
      hasEnded = true;
      if (recorded) removeServingRecord(recorded);
    },
  };
}

function merged(
  before: readonly EffectiveSetting[],
  wanted: readonly EffectiveSetting[],
  takes: (key: string) => boolean,
): readonly EffectiveSetting[] {
  return wanted.map((setting, at) => {
    const was = before[at] ?? setting;
    return takes(setting.key) || isSameSetting(was, setting) ? setting : was;
  });
}

function changes(before: readonly EffectiveSetting[], now: readonly EffectiveSetting[]): readonly SettingChange[] {
  return now.flatMap((setting, at) => {
    const was = before[at];
    if (isSameSetting(was, setting)) return [];
    return [
      {
        key: setting.key,
        ...(was?.value !== undefined && { before: was.value }),
        ...(setting.value !== undefined && { now: setting.value }),
      },
    ];
  });
}

function holdsSoon(key: string): boolean {
  return CONFIG_KEYS.find((known) => known.key === key)?.holds === 'soon';
}

/** Where it takes a new socket, or another store: whether an address has HTTPS at all, too. */
function waits(key: string, wanted: readonly EffectiveSetting[], hasTls: boolean): boolean {
  if (key.startsWith('tls.')) return hasTls !== isSecure(wanted);
  return CONFIG_KEYS.find((known) => known.key === key)?.holds === 'restarted';
}

function isSecure(settings: readonly EffectiveSetting[]): boolean {
  const value = (key: string) => settings.find((setting) => setting.key === key)?.value;
  const [isAuto, tlsCertificate] = [value('tls.auto'), value('tls.cert')];
  return isTlsWanted({
    ...(isAuto === true && { tls: 'auto' }),
    ...(typeof tlsCertificate === 'string' && { tlsCertificate }),
  });
}

function noticeOf({ changed, waiting }: Pick<Reloaded, 'changed' | 'waiting'>): string {
  const keys = (all: readonly SettingChange[]) => all.map(({ key }) => key).join(', ');
  const what = changed.length === 0 ? 'nothing has changed' : `changed: ${keys(changed)}`;
  const later = waiting.length === 0 ? '' : `; until a restart all stays as it is: ${keys(waiting)}`;
  return `read the configuration again, ${what}${later}`;
}
