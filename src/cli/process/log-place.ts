// Where what this process writes to its standard error can be read again.
import { fstatSync, readFileSync, readlinkSync } from 'node:fs';
import type { LogPlace } from '../../tasks/private-registry/registry-record.ts';
import type { Environment } from '../../tasks/settings.ts';

/** systemd says in $JOURNAL_STREAM which of a service's streams lead to its journal (systemd.exec(5)). */
export function logPlace(env: Environment, file = 2): LogPlace {
  try {
    const info = fstatSync(file);
    if (env.JOURNAL_STREAM === `${info.dev}:${info.ino}`) {
      const unit = ownUnit();
      if (unit) return { kind: 'journal', ...unit };
    }
    if (info.isFile()) return { kind: 'file', path: readlinkSync(`/proc/self/fd/${file}`) };
    const what =
      info.isFIFO() || info.isSocket() ? 'a pipe' : info.isCharacterDevice() ? 'a terminal or device' : 'elsewhere';
    return { kind: 'elsewhere', what };
  } catch {
    return { kind: 'elsewhere', what: 'elsewhere' };
  }
}

/** The unit of this process: the last service in the path of its control group. */
function ownUnit(): { readonly unit: string; readonly isUser: boolean } | undefined {
  return unitOf(readFileSync('/proc/self/cgroup', 'utf8'));
}

/** `text`: as in /proc/PID/cgroup. */
export function unitOf(text: string): { readonly unit: string; readonly isUser: boolean } | undefined {
  const services = [...text.matchAll(/([\w@:.\\-]+\.service)(?=[/\n]|$)/g)].map(([, unit = '']) => unit);
  const unit = services.at(-1);
  if (unit === undefined) return undefined;
  return { unit, isUser: /\/user@\d+\.service\//.test(text) };
}
