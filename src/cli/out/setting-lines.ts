// Settings of a registry as lines.
import type { EffectiveSetting } from '../../tasks/private-registry/effective-settings.ts';
import type { SettingChange } from '../../tasks/private-registry/serving-record.ts';
import { safeText } from '../process/safe-text.ts';

/** `quota: "100 GiB" → "200 GiB"`. */
export function changeLine({ key, before, now }: SettingChange): string {
  return `${key}: ${valueText(before)} → ${valueText(now)}`;
}

const WIDTH = 44;

/** `quota = "200 GiB"   # registry.toml:3`. What nobody has said is a comment, so that all lines together are a file that says the same. */
export function settingLine({ key, value, means, from, line, option }: EffectiveSetting, file: string): string {
  const said = value === undefined ? `${key}: ${means ?? 'not set'}` : `${key} = ${valueText(value)}`;
  if (from === 'default') return `# ${said}`.padEnd(WIDTH).concat('  # default');
  const inFile = line === undefined ? file : `${file}:${line}`;
  const where = option === undefined ? inFile : line === undefined ? option : `${option}, ${inFile}`;
  return `${said.padEnd(WIDTH)}  # ${safeText(where)}`;
}

/** In one line, as TOML has it. */
export function valueText(value: unknown): string {
  if (value === undefined) return 'not set';
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return safeText(JSON.stringify(value));
  const fields = Object.entries(value).map(([name, field]) => `${name} = ${valueText(field)}`);
  return `{ ${fields.join(', ')} }`;
}
