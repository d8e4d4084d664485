// Changes all texts in plain data. Pure.

/** Returns the same object if no text in it changes. */
export function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const mapped = value.map((item) => mapTexts(item, change));
    return mapped.every((item, index) => item === value[index]) ? value : mapped;
  }
  const fields = value as Record<string, unknown>;
  const mapped = Object.entries(fields).map(([key, item]) => [key, mapTexts(item, change)] as const);
  return mapped.every(([key, item]) => item === fields[key]) ? fields : Object.fromEntries(mapped);
}
