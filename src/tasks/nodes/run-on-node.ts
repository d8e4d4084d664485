// Runs a script on a node: here, or by a command that gives what follows it, and its standard input, to the node (`ssh vm1`, `docker exec -i NODE`).
import { quote } from '../../io/text/quote.ts';
import { ImagesError } from '../../oci/errors.ts';
import { runCommand } from '../overlays/run-command.ts';
import type { Settings } from '../settings.ts';

export interface NodeScript {
  readonly script: string;
  /** In milliseconds. A command may also wait for somebody who types a password. */
  readonly limit: number;
}

/** Returns what it prints. Errors: UNREACHABLE; USAGE (a command without a word). */
export async function runOnNode(
  { script, limit }: NodeScript,
  exec: string | undefined,
  settings: Settings,
): Promise<string> {
  if (exec?.trim() === '') {
    throw new ImagesError('USAGE', 'the command that reaches the node is empty', {
      hint: "For example --exec='ssh vm1'. Without --exec this machine is asked.",
    });
  }
  // The script is the input of the node's shell, so it needs no second quoting on its way.
  const command = `printf %s "$1" | ${exec === undefined ? '' : `${exec} `}sh -s`;
  const time = AbortSignal.timeout(limit);
  const signal = settings.signal ? AbortSignal.any([settings.signal, time]) : time;
  const result = await runCommand('sh', ['-c', command, 'sh', script], { ...settings, signal }).catch(
    (error: unknown) => {
      if (!time.aborted || settings.signal?.aborted) throw error;
      throw unreachable(exec, `no answer within ${Math.round(limit / 60_000)} minutes`);
    },
  );
  if (result && (result.status === 0 || result.stdout.includes('@ end'))) return result.stdout;
  throw unreachable(exec, quote(result?.stderr.trim() ?? '', 300) || 'it said nothing');
}

function unreachable(exec: string | undefined, why: string): ImagesError {
  return new ImagesError('UNREACHABLE', `the node cannot be asked [${exec ?? 'sh'}]: ${why}`, {
    hint: 'The command of --exec has to run what comes after it on the node, with its standard input: ssh vm1.',
  });
}
