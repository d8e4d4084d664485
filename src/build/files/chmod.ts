// `--chmod`: octal up to 07777, or symbolic as in chmod(1) (POSIX.1-2017), without a umask.

/** Returns the new mode. `isDirectory` decides the meaning of `X`. */
export type ChangeMode = (mode: number, isDirectory: boolean) => number;

const SETUID = 0o4000;
const SETGID = 0o2000;
const STICKY = 0o1000;

/** Returns `undefined` for an invalid mode. */
export function parseMode(text: string): ChangeMode | undefined {
  if (/^[0-7]+$/.test(text)) {
    const mode = Number.parseInt(text, 8);
    return mode <= 0o7777 ? () => mode : undefined;
  }
  const clauses = text.split(',').map(parseClause);
  if (clauses.some((clause) => clause === undefined)) return undefined;
  return (mode, isDirectory) =>
    (clauses as readonly ChangeMode[]).reduce((value, clause) => clause(value, isDirectory), mode);
}

function parseClause(text: string): ChangeMode | undefined {
  const [, who = '', actions = ''] = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(text) ?? [];
  if (actions === '') return undefined;
  const classes = who === '' || who.includes('a') ? 'ugo' : who;
  const all = [...actions.matchAll(/([-+=])([rwxXst]*|[ugo])(?=[-+=]|$)/g)];
  return (mode, isDirectory) =>
    all.reduce((value, [, operator = '', what = '']) => {
      const bits = bitsOf(classes, what, { mode: value, isDirectory });
      if (operator === '+') return value | bits;
      if (operator === '-') return value & ~bits;
      return (value & ~maskOf(classes, isDirectory)) | bits;
    }, mode);
}

interface Of {
  readonly mode: number;
  readonly isDirectory: boolean;
}

const SHIFT: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };

function bitsOf(classes: string, what: string, { mode, isDirectory }: Of): number {
  let bits = 0;
  for (const each of classes) {
    const shift = SHIFT[each] ?? 0;
    if (/^[ugo]$/.test(what)) {
      bits |= ((mode >> (SHIFT[what] ?? 0)) & 7) << shift;
      continue;
    }
    if (what.includes('r')) bits |= 4 << shift;
    if (what.includes('w')) bits |= 2 << shift;
    if (what.includes('x') || (what.includes('X') && (isDirectory || (mode & 0o111) !== 0))) bits |= 1 << shift;
    if (what.includes('s') && each === 'u') bits |= SETUID;
    if (what.includes('s') && each === 'g') bits |= SETGID;
  }
  if (what.includes('t')) bits |= STICKY;
  return bits;
}

/** The bits that `=` clears. For directories the set-id bits are preserved, as in GNU chmod. */
function maskOf(classes: string, isDirectory: boolean): number {
  let mask = 0;
  for (const each of classes) {
    mask |= 7 << (SHIFT[each] ?? 0);
    if (each === 'u' && !isDirectory) mask |= SETUID;
    if (each === 'g' && !isDirectory) mask |= SETGID;
  }
  return classes === 'ugo' ? mask | STICKY : mask;
}
