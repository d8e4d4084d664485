// What a node has answered to the probe, decoded. Whatever else it prints (a greeting of its shell) is left out.
import { ImagesError } from '../../oci/errors.ts';

export interface NodeFacts {
  /** The first line of `--version`, by the program's name. */
  readonly programs: ReadonlyMap<string, string>;
  /** Command lines of those that run, by the program's name. */
  readonly processes: ReadonlyMap<string, readonly string[]>;
  readonly files: ReadonlyMap<string, string>;
  /** Directories of hosts in certs.d. */
  readonly directories: ReadonlySet<string>;
  /** Files, and directories with a `/` at their end: who asks may not read them, or they are too large. */
  readonly unreadable: readonly string[];
  /** What `containerd config dump` says: all its files together, and its defaults. */
  readonly containerdConfig?: string;
  /** In seconds since 1970; absent if the node does not say so. */
  readonly clock?: number;
}

/** Errors: BAD_ANSWER (it did not come to its end); UNSUPPORTED (the node has no programs for it). */
export function parseProbe(answer: string): NodeFacts {
  const programs = new Map<string, string>();
  const processes = new Map<string, string[]>();
  const lines = new Map<string, string[]>();
  const directories = new Set<string>();
  const unreadable: string[] = [];
  const dump: string[] = [];
  const lacks: string[] = [];
  let current: string[] | undefined;
  let isWhole = false;
  let clock: number | undefined;
  for (const line of answer.split('\n')) {
    const [, kind = '', rest = ''] = /^@ (\w+) ?(.*)$/.exec(line.replace(/\r$/, '')) ?? [];
    if (line.startsWith('|')) current?.push(line.slice(1));
    if (kind === '') continue;
    const [name = '', ...words] = rest.split(' ');
    current = undefined;
    if (kind === 'program') programs.set(name, words.join(' '));
    else if (kind === 'process') processes.set(name, [...(processes.get(name) ?? []), words.join(' ')]);
    else if (kind === 'directory') directories.add(rest);
    else if (kind === 'clock' && /^\d{1,11}$/.test(rest)) clock = Number(rest);
    else if (kind === 'unreadable') unreadable.push(rest);
    else if (kind === 'lacks') lacks.push(name);
    else if (kind === 'file') {
      current = [];
      lines.set(rest, current);
    } else if (kind === 'dump') current = dump;
    else if (kind === 'end') isWhole = true;
  }
  requireTools(lacks);
  if (!isWhole) {
    throw new ImagesError('BAD_ANSWER', 'the node did not answer to the end', {
      hint: 'The command of --exec has to run what comes after it on the node, with its standard input: ssh vm1.',
    });
  }
  const files = new Map([...lines].map(([path, texts]) => [path, `${texts.join('\n')}\n`]));
  const containerdConfig = dump.length > 0 ? { containerdConfig: `${dump.join('\n')}\n` } : {};
  return {
    programs,
    processes,
    files,
    directories,
    unreadable,
    ...containerdConfig,
    ...(clock !== undefined && { clock }),
  };
}

function requireTools(lacks: readonly string[]): void {
  if (lacks.length === 0) return;
  throw new ImagesError('UNSUPPORTED', `the node has no ${lacks.slice(0, 10).join(', ')}`, {
    hint: 'Those of busybox are enough. Without them, look at the files yourself: `images node_config` prints what they should be.',
  });
}
