// The clock of a node: with HTTPS, one that is wrong makes every certificate invalid.
import type { NodeRegistry } from '../node-file.ts';
import type { NodeFinding } from './contract.ts';

/** In seconds. The registry's own certificates begin an hour before they are made. */
const BEARABLE = 3600;
const DAY = 86_400;

/** `clock` and `now` in seconds since 1970: the node's, and that of the machine that asks. */
export function clockFindings(
  clock: number | undefined,
  now: number,
  registry: NodeRegistry | undefined,
): readonly NodeFinding[] {
  if (registry?.scheme !== 'https' || clock === undefined) return [];
  const behind = now - clock;
  if (Math.abs(behind) < BEARABLE) return [];
  const far =
    Math.abs(behind) < 2 * DAY
      ? `${Math.round(Math.abs(behind) / 3600)} h`
      : `${Math.round(Math.abs(behind) / DAY)} days`;
  return [
    {
      what:
        behind > 0
          ? `the node's clock is ${far} behind: certificates are not yet valid for it (x509: certificate has expired or is not yet valid)`
          : `the node's clock is ${far} ahead: certificates may have expired for it (x509: certificate has expired or is not yet valid)`,
      mend: 'Set it before the runtimes start: chronyd, systemd-timesyncd, or date -s. A VM takes it from the machine with -rtc base=utc.',
    },
  ];
}
