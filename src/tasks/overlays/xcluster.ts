// Asks the xcluster script that $XCLUSTER names: `env` prints NAME='value' lines, `ovld NAME` an overlay's directory. Both may print WARNING lines.
import type { TaskCall, World } from '../settings.ts';
import { type CommandResult, runCommand } from './run-command.ts';

type XclusterSettings = Pick<World, 'env'> & TaskCall;

/** The directory of an overlay. Returns `undefined` if $XCLUSTER is not set or does not know the overlay. */
export async function overlayFromXcluster(name: string, settings: XclusterSettings): Promise<string | undefined> {
  const result = await runXcluster(['ovld', name], settings);
  return result?.status === 0 ? linesOf(result.stdout).at(-1) : undefined;
}

/** The variables that `$XCLUSTER env` prints; empty if $XCLUSTER is not set or fails. */
export async function xclusterEnvironment(settings: XclusterSettings): Promise<ReadonlyMap<string, string>> {
  const result = await runXcluster(['env'], settings);
  const variables = new Map<string, string>();
  for (const line of linesOf(result?.stdout ?? '')) {
    const [, name, value] = /^(?:export\s+)?([A-Za-z_]\w*)=(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) variables.set(name, unquoted(value));
  }
  return variables;
}

async function runXcluster(args: readonly string[], settings: XclusterSettings): Promise<CommandResult | undefined> {
  const script = settings.env.XCLUSTER;
  return script ? await runCommand(script, args, settings) : undefined;
}

/** The lines of the output, without warnings. */
function linesOf(output: string): readonly string[] {
  return output
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('WARNING'));
}

/** A shell word as `set` prints it: `'it'\''s'`, `"x"`, `x\ y`. */
function unquoted(word: string): string {
  return word.replaceAll(
    /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/g,
    (_, single?: string, double?: string, escaped?: string) =>
      single ?? double?.replaceAll(/\\(["\\$`])/g, '$1') ?? escaped ?? '',
  );
}
