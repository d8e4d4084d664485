// docker's daemon.json with our mirrors and insecure registries in it. Pure.
import { isObject, type Json } from '../../oci/decode.ts';
import { type Merged, refused } from './merged.ts';

/** Ours come first in each list; everything else stays, also its order. */
export function withDockerConfig(text: string, ours: string): Merged {
  const theirs = objectIn(text);
  if (!theirs) return refused('it is not a JSON object');
  const merged: Record<string, unknown> = { ...theirs };
  for (const [key, list] of Object.entries(objectIn(ours) ?? {})) {
    const before = theirs[key] ?? [];
    if (!Array.isArray(before) || !Array.isArray(list)) return refused(`${key} is not a list`);
    if (list.length > 0) merged[key] = [...list, ...before.filter((entry) => !list.includes(entry))];
  }
  return { text: JSON.stringify(merged) === JSON.stringify(theirs) ? text : written(merged) };
}

/** Without what is ours; `undefined` if nothing is left. */
export function withoutDockerConfig(text: string, ours: string): string | undefined {
  const theirs = objectIn(text);
  if (!theirs) return text;
  const left: Record<string, unknown> = { ...theirs };
  for (const [key, list] of Object.entries(objectIn(ours) ?? {})) {
    const before = theirs[key];
    if (!Array.isArray(before) || !Array.isArray(list)) continue;
    const others = before.filter((entry) => !list.includes(entry));
    if (others.length === 0) delete left[key];
    else left[key] = others;
  }
  return Object.keys(left).length === 0 ? undefined : written(left);
}

function objectIn(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text.trim() === '' ? '{}' : text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function written(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
