// DIR/images/serving.json: what the registry that serves DIR goes by, and how its last reload went. For its owner to read. Commands that ask for a reload wait for it.
import { join } from 'node:path';
import { isObject } from '../../oci/decode.ts';
import type { EffectiveSetting } from './effective-settings.ts';
import { attempt, type RegistryState, readOwnedJson, removeRecord, writeRecord } from './registry-record.ts';

export interface SettingChange {
  readonly key: string;
  /** Before, as in `EffectiveSetting`; absent if nothing was set. */
  readonly before?: unknown;
  readonly now?: unknown;
}

export interface Reloaded {
  /** The configuration. It may not be there: then the defaults hold. */
  readonly file: string;
  readonly changed: readonly SettingChange[];
  /** What is otherwise in the file, and holds only when the registry is started again. */
  readonly waiting: readonly SettingChange[];
}

export interface ReloadAnswer {
  /** When it began, in nanoseconds of the machine's monotonic clock, which all processes share. */
  readonly begun: string;
  readonly done?: Pick<Reloaded, 'changed' | 'waiting'>;
  /** Why nothing changed. */
  readonly failed?: { readonly code: string; readonly message: string; readonly hint?: string };
}

export interface ServingRecord {
  /** The configuration. */
  readonly file: string;
  readonly settings: readonly EffectiveSetting[];
  readonly reload?: ReloadAnswer;
}

/** Errors: NO_ACCESS, READ_ONLY, NO_SPACE. */
export function writeServingRecord({ data, identity }: RegistryState, record: ServingRecord): void {
  writeRecord(recordPath(data), { identity, ...record }, 0o600);
}

/** Of this very process; `undefined` if there is none, or it cannot be read. */
export function readServingRecord({ data, identity, uid }: RegistryState): ServingRecord | undefined {
  const read = readOwnedJson(recordPath(data));
  if (read?.uid !== uid || !isObject(read.value) || read.value.identity !== identity) return undefined;
  return read.value as unknown as ServingRecord;
}

export function removeServingRecord({ data, identity }: RegistryState): void {
  attempt(() => removeRecord(recordPath(data), identity));
}

function recordPath(data: string): string {
  return join(data, 'images/serving.json');
}
