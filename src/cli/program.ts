// Runs one command line: finds the command, reads its options, loads and runs it, turns errors into lines and an exit status.
import { ImagesError } from '../oci/errors.ts';
import type { CommandSpec } from './grammar/command.ts';
import { commandNamed, findCommand, givenValue, parseCommandLine } from './grammar/grammar.ts';
import { isBrokenPipe, whoeverReads } from './out/answer-out.ts';
import { type Context, type DebugLines, processContext } from './process/context.ts';
import { type DebugTopic, debugTopics } from './process/debug-topics.ts';
import { listenForSignals } from './process/interruption.ts';
import { leaveRoom } from './process/much-data.ts';
import { VERSION } from './process/version.ts';
import { COMMANDS } from './table/commands.ts';

/** Runs the command line, then ends the process. `cacheDirectory`: see Context. */
export async function runProgram(argv: readonly string[], cacheDirectory: string | undefined): Promise<never> {
  const interruption = listenForSignals();
  const { signal } = interruption;
  const given = givenOptions(argv);
  const verbose = given('verbose') !== undefined;
  const world = { version: VERSION, verbose, interruption, cacheDirectory };
  let context = processContext(world);
  let status: number;
  try {
    const wanted = wantedTopics(given('debug'), process.env.IMAGES_DEBUG);
    if (wanted) context = processContext({ ...world, debug: await debugLines(wanted) });
    status = await runCommandLine(argv, context);
  } catch (error) {
    // The reader of stdout has gone: that is no error.
    if (isBrokenPipe(error)) return exit(0);
    if (signal.aborted && !verbose) return interruption.end();
    status = await reportFailure(error, given, context);
  }
  // A command that ended normally after a signal was meant to end that way, like `serve`.
  return exit(status);
}

/** The option counts before the variable. Errors: USAGE for an unknown topic. */
function wantedTopics(
  option: string | true | undefined,
  variable: string | undefined,
): ReadonlySet<DebugTopic> | undefined {
  if (option !== undefined) return debugTopics(option === true ? '' : option);
  return variable ? debugTopics(variable, '$IMAGES_DEBUG') : undefined;
}

async function debugLines(wanted: ReadonlySet<DebugTopic>): Promise<DebugLines> {
  const { debugPrinter } = await import('./reporter/debug-lines.ts');
  return (note) => debugPrinter(wanted, note);
}

/** Reports on stderr for people. With --json also on stdout for programs, if nothing was written there. */
async function reportFailure(error: unknown, given: GivenOptions, context: Context): Promise<number> {
  const [{ reportError }, { namingDataDirectory }] = await Promise.all([
    import('./reporter/report-error.ts'),
    import('./out/data-hint.ts'),
  ]);
  const { lines, data, status } = reportError(
    namingDataDirectory(error, given('data') !== undefined, context),
    context.verbose,
  );
  process.stderr.write(`${lines.join('\n')}\n`);
  if (given('json') !== undefined && !context.hasWritten) {
    const { writeJson } = await import('./out/write-json.ts');
    await whoeverReads(writeJson(context, data));
  }
  return status;
}

/** The value of an option, or `true`; `undefined` if it is not given. */
type GivenOptions = (name: 'data' | 'debug' | 'json' | 'verbose') => string | true | undefined;

/** Reads these options before the line is validated, and even if it is invalid. */
function givenOptions(argv: readonly string[]): GivenOptions {
  const at = argv.findIndex((word) => !word.startsWith('-'));
  const command = at < 0 ? undefined : commandNamed(argv[at] as string, COMMANDS);
  // Avoids parsing for options that are not in the line.
  return (name) =>
    argv.some((word) => word.startsWith(`--${name}`))
      ? givenValue(name, command, argv.toSpliced(at, at < 0 ? 0 : 1))
      : undefined;
}

async function runCommandLine(argv: readonly string[], context: Context): Promise<number> {
  const { command, rest } = splitCommand(argv);
  const { args, options } = parseCommandLine(command, rest);
  if (options.flag('help')) {
    const { helpOf } = await import('./grammar/help.ts');
    await context.out(helpOf(command));
    return 0;
  }
  const { run } = await command.load();
  return await run({ args, options, context, commands: COMMANDS });
}

const MAY_STAND_FIRST = /^--(?:verbose|debug)(?:=|$)/;

/** The first word that is not an option names the command, so `images --verbose lreg_ls` is valid. */
function splitCommand(argv: readonly string[]): { command: CommandSpec; rest: readonly string[] } {
  const first = argv.find((word) => !MAY_STAND_FIRST.test(word));
  if (first === undefined || first === '-h' || first === '--help')
    return { command: findCommand('help', COMMANDS), rest: [] };
  if (first === '--version') return { command: findCommand('version', COMMANDS), rest: [] };
  const at = argv.findIndex((word) => !word.startsWith('-'));
  if (at < 0 || argv.slice(0, at).some((word) => !MAY_STAND_FIRST.test(word))) {
    throw new ImagesError('USAGE', `unknown option [${first}]`, { hint: '`images help` shows how to use it.' });
  }
  return { command: findCommand(argv[at] as string, COMMANDS), rest: argv.toSpliced(at, 1) };
}

/** No output is lost: Node writes pipes and files synchronously on POSIX. Without this exit, open keep-alive connections would keep the process running. */
function exit(status: number): never {
  leaveRoom();
  process.exit(status);
}
