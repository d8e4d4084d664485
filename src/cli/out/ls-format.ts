// Formats files like `ls -l`: type and mode, numeric owner and group, size or device, time (UTC), name, target of a link.
import type { TarEntryType, TarHeader } from '../../tar/entry.ts';
import { printableName } from '../../tar/names.ts';
import type { TarTime } from '../../tar/time.ts';

const TYPES: Readonly<Record<TarEntryType, string>> = {
  file: '-',
  hardlink: '-',
  symlink: 'l',
  character: 'c',
  block: 'b',
  directory: 'd',
  fifo: 'p',
};

export interface NamedHeader {
  /** The displayed name. */
  readonly name: string;
  readonly header: TarHeader;
}

const COLUMNS: readonly ((header: TarHeader) => string)[] = [
  modeText,
  ({ uid }) => String(uid),
  ({ gid }) => String(gid),
  sizeText,
];

/** Returns a function that formats one file as a line. Columns are aligned over all `headers`. */
export function longLines(headers: Iterable<TarHeader>): (file: NamedHeader) => string {
  const widths = COLUMNS.map(() => 0);
  for (const header of headers) {
    for (const [at, text] of COLUMNS.entries()) widths[at] = Math.max(widths[at] ?? 0, text(header).length);
  }
  return ({ name, header }) => {
    const columns = COLUMNS.map((text, at) =>
      at === 0 ? text(header).padEnd(widths[0] ?? 0) : text(header).padStart(widths[at] ?? 0),
    );
    return `${columns.join(' ')} ${timeText(header.mtime)} ${printableName(name)}${linkText(header)}`;
  };
}

/** `-rwsr-xr-x`, with a `+` if there are extended attributes. */
export function modeText({ type, mode, xattrs }: TarHeader): string {
  const bits = [6, 3, 0].map((shift, at) => {
    const special = (mode & (0o4000 >> at)) !== 0;
    const letters = at === 2 ? ['t', 'T'] : ['s', 'S'];
    const execute = (mode >> shift) & 1 ? (special ? letters[0] : 'x') : special ? letters[1] : '-';
    return `${(mode >> shift) & 4 ? 'r' : '-'}${(mode >> shift) & 2 ? 'w' : '-'}${execute}`;
  });
  return `${TYPES[type]}${bits.join('')}${xattrs.size > 0 ? '+' : ''}`;
}

function sizeText({ type, size, device }: TarHeader): string {
  return type === 'character' || type === 'block' ? `${device.major},${device.minor}` : String(size);
}

/** `2024-01-02 03:04:05`: in UTC, without fractions of a second. */
export function timeText({ seconds }: TarTime): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `@${seconds}` : date.toISOString().slice(0, 19).replace('T', ' ');
}

function linkText({ type, linkname }: TarHeader): string {
  return type === 'symlink'
    ? ` -> ${printableName(linkname)}`
    : type === 'hardlink'
      ? ` link to ${printableName(linkname)}`
      : '';
}

/** For --json: names as text (bytes that are not UTF-8 in octal), extended attributes in base64. */
export function jsonOfFile({ name, header }: NamedHeader): Record<string, unknown> {
  const { type, mode, uid, gid, size, mtime, linkname, device, xattrs } = header;
  return {
    path: printableName(name),
    type,
    mode: mode.toString(8).padStart(4, '0'),
    uid,
    gid,
    size,
    mtime: isoTime(mtime),
    ...(linkname !== '' && { linkname: printableName(linkname) }),
    ...((type === 'character' || type === 'block') && { device: [device.major, device.minor] }),
    ...(xattrs.size > 0 && {
      xattrs: Object.fromEntries([...xattrs].map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
    }),
  };
}

/** ISO 8601, with nanoseconds if there are any. */
function isoTime({ seconds, nanoseconds }: TarTime): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `@${seconds}`;
  const fraction = nanoseconds === 0 ? '' : `.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
  return date.toISOString().replace('.000Z', `${fraction}Z`);
}
