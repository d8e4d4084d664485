// The CA among those that a node's programs trust.
import type { NodeFile, NodeRegistry } from './node-file.ts';

/** Debian's and Alpine's place; `update-ca-certificates` makes it known. The boot script knows the others. */
export const SYSTEM_CA = 'usr/local/share/ca-certificates/private-reg.crt';

export function systemCa({ ca }: NodeRegistry): readonly NodeFile[] {
  return ca === undefined ? [] : [{ path: SYSTEM_CA, mode: 0o644, content: ca }];
}
