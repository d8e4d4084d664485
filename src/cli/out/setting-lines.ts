// Settings of a registry as lines.
import type { SettingChange } from '../../tasks/private-registry/serving-record.ts';
import { safeText } from '../process/safe-text.ts';

/** `quota: "100 GiB" → "200 GiB"`. */
export function changeLine({ key, before, now }: SettingChange): string {
  return `${key}: ${valueText(before)} → ${valueText(now)}`;
}

/** In one line, as TOML has it. */
export function valueText(value: unknown): string {
  if (value === undefined) return 'not set';
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return safeText(JSON.stringify(value));
  const fields = Object.entries(value).map(([name, field]) => `${name} = ${valueText(field)}`);
  return `{ ${fields.join(', ')} }`;
}
