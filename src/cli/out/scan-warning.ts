// Formats a warning of a scan: `WARNING: FILE:LINE: what`.
import type { Warning } from '../../scan/contract.ts';

export function warningLine({ file, line, text }: Warning): string {
  return `WARNING: ${line === undefined ? file : `${file}:${line}`}: ${text}`;
}
