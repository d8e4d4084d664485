// `config --show`: what a registry goes by, or would go by if it were started now, and where each value comes from.
import { checkArguments } from '../../oci/arguments.ts';
import { SETTINGS } from '../arguments.ts';
import type { Settings } from '../settings.ts';
import { configFile } from './config-file.ts';
import { type EffectiveSetting, effectiveSettings } from './effective-settings.ts';
import { readAtRest } from './file-at-rest.ts';
import { withNamedData } from './named-config.ts';
import { configReading } from './registry-config.ts';
import { dataDirectory, runningRegistry } from './registry-state.ts';
import { readServingRecord } from './serving-record.ts';

export interface ShownConfig {
  /** The configuration. It may not be there. */
  readonly file: string;
  /** The process that goes by it; absent if none does: then it is what one would go by that is started now, without options. */
  readonly pid?: number;
  /** Of each key, in the order of docs/configuration.md. None is a secret. */
  readonly settings: readonly EffectiveSetting[];
}

/** A registry that runs is asked, unless --config names a file. Errors: CONFIG_INVALID, FILE_UNREADABLE, NO_REGISTRY (another user's data directory). */
export async function showConfig(given: Settings): Promise<ShownConfig> {
  checkArguments({ settings: [given, SETTINGS] });
  const settings = await withNamedData(given);
  const data = dataDirectory(settings);
  const withData = (all: readonly EffectiveSetting[]) =>
    all.map((one) => (one.key !== 'data' || one.from === 'file' ? one : dataSetting(data, given)));
  const running = settings.config === undefined ? runningRegistry(data, settings) : undefined;
  const record = running && readServingRecord(running);
  if (running && record) return { file: record.file, pid: running.pid, settings: withData(record.settings) };
  if (running) settings.onNote?.('What the registry that runs goes by is not known: this is what its file says.');
  const named = settings.config ?? running?.config;
  const file = configFile(data, named);
  const { text } = await readAtRest(file);
  const reading = await configReading({ file, isNamed: named !== undefined }, text);
  return { file, settings: withData(effectiveSettings({}, reading)) };
}

function dataSetting(value: string, { data }: Pick<Settings, 'data'>): EffectiveSetting {
  return data === undefined
    ? { key: 'data', value, from: 'default' }
    : { key: 'data', value, from: 'option', option: '--data' };
}
