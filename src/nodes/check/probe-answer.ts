// What a node has answered to the probe, decoded. Whatever else it prints (a greeting of its shell) is left out.
import { ImagesError } from '../../oci/errors.ts';

export interface NodeFacts {
  /** The first line of `--version`, by the program's name. */
  readonly programs: ReadonlyMap<string, string>;
  /** Command lines of those that run. */
  readonly processes: ReadonlyMap<string, string>;
  readonly files: ReadonlyMap<string, string>;
  readonly unreadable: readonly string[];
}

/** Errors: BAD_ANSWER (it did not come to its end). */
export function parseProbe(answer: string): NodeFacts {
  const programs = new Map<string, string>();
  const processes = new Map<string, string>();
  const lines = new Map<string, string[]>();
  const unreadable: string[] = [];
  let current: string[] | undefined;
  let isWhole = false;
  for (const line of answer.split('\n')) {
    const [, kind = '', rest = ''] = /^@ (\w+) ?(.*)$/.exec(line.replace(/\r$/, '')) ?? [];
    if (line.startsWith('|')) current?.push(line.slice(1));
    if (kind === '') continue;
    const [name = '', ...words] = rest.split(' ');
    current = undefined;
    if (kind === 'program') programs.set(name, words.join(' '));
    else if (kind === 'process') processes.set(name, words.join(' '));
    else if (kind === 'unreadable') unreadable.push(rest);
    else if (kind === 'file') {
      current = [];
      lines.set(rest, current);
    } else if (kind === 'end') isWhole = true;
  }
  if (!isWhole) {
    throw new ImagesError('BAD_ANSWER', 'the node did not answer to the end', {
      hint: 'The command of --exec has to run what comes after it on the node, with its standard input: ssh vm1.',
    });
  }
  const files = new Map([...lines].map(([path, texts]) => [path, `${texts.join('\n')}\n`]));
  return { programs, processes, files, unreadable };
}
