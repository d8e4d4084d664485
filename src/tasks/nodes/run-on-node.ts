// Runs a script on a node: here, or by a command that gives what follows it, and its standard input, to the node (`ssh vm1`, `docker exec -i NODE`).
import { quote } from '../../io/text/quote.ts';
import { ImagesError } from '../../oci/errors.ts';
import { runCommand } from '../overlays/run-command.ts';
import type { Settings } from '../settings.ts';

/** Returns what it prints. Errors: UNREACHABLE. */
export async function runOnNode(script: string, exec: string | undefined, settings: Settings): Promise<string> {
  // The script is the input of the node's shell, so it needs no second quoting on its way.
  const command = `printf %s "$1" | ${exec === undefined ? '' : `${exec} `}sh -s`;
  const result = await runCommand('sh', ['-c', command, 'sh', script], settings);
  if (result && (result.status === 0 || result.stdout.includes('@ end'))) return result.stdout;
  throw new ImagesError(
    'UNREACHABLE',
    `the node cannot be asked [${exec ?? 'sh'}]: ${quote(result?.stderr.trim() ?? '', 300)}`,
    {
      hint: 'The command of --exec has to run what comes after it on the node, with its standard input: ssh vm1.',
    },
  );
}
