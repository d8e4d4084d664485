// The header by which registries that ask others see a loop: the ids of all that a request came through. `Via` itself says that a proxy stands before the registry,
// which changes who is believed to ask (access/asker-address.ts).

export const VIA_HEADER = 'images-via';

/** As many as anybody has one behind the other, and more. */
const MOST = 16;

export function viaHeader(via: readonly string[] | undefined): Readonly<Record<string, string>> {
  return via?.length ? { [VIA_HEADER]: via.join(', ') } : {};
}

/** The ids in a header, in the order in which they were added. */
export function viaOf(header: string | readonly string[] | undefined): readonly string[] {
  const text = typeof header === 'string' ? header : (header?.join(',') ?? '');
  return text
    .slice(0, 4096)
    .split(',')
    .map((id) => id.trim())
    .filter((id) => /^[\w-]{1,64}$/.test(id));
}

/** Whether the request came from this very registry, or through more than anybody has. */
export function isLoop(via: readonly string[], id: string): boolean {
  return via.includes(id) || via.length > MOST;
}
