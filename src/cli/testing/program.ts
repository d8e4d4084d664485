// Commands in the process of the test: a line is parsed and run in a temporary world, and what it prints is recorded. As processes they are tested in test/e2e.
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { type EmbeddedStore, openEmbeddedStore } from '../../storage/embedded-store.ts';
import { type TemporaryWorld, temporaryWorld } from '../../tasks/testing/temporary-world.ts';
import { findCommand, parseCommandLine } from '../grammar/grammar.ts';
import type { Context, Terminal } from '../process/context.ts';
import { COMMANDS } from '../table/commands.ts';

export interface TestProgram {
  readonly world: TemporaryWorld;
  readonly context: Context;
  /** The data directory that $IMAGES_DATA names. */
  readonly data: string;
  /** Opens the store there. */
  store(): Promise<EmbeddedStore>;
  /** What was printed on stdout since it was last asked for. */
  printed(): string;
  /** The same of the notes on stderr. */
  noted(): readonly string[];
  /** The same of what was drawn on the terminal. */
  drawn(): string;
  /** Returns the exit status. Errors: those of the command. */
  run(...argv: readonly string[]): Promise<number>;
  /** Runs it to status 0, and returns what it printed. */
  must(...argv: readonly string[]): Promise<string>;
}

export interface TestProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** stderr is a terminal. */
  readonly isTTY?: boolean;
  readonly stdin?: string;
  readonly verbose?: boolean;
}

/** It ends with the test. */
export async function testProgram(options: TestProgramOptions = {}): Promise<TestProgram> {
  const world = await temporaryWorld();
  onTestFinished(() => world[Symbol.asyncDispose]());
  const data = join(world.path, 'data');
  const { env, home, uid, temporaryDirectory } = world.settings({ IMAGES_DATA: data, ...options.env });
  const [printed, noted, drawn] = [recorded(), recorded(), recorded()];
  const context: Context = {
    env,
    home,
    uid,
    temporaryDirectory,
    version: '1.2.3',
    program: [process.execPath],
    verbose: options.verbose ?? false,
    cacheDirectory: undefined,
    signal: new AbortController().signal,
    interruption: {
      signal: new AbortController().signal,
      whileComputing: (run) => run(),
      takeTime: () => undefined,
      onHangUp: () => undefined,
      onQuit: () => undefined,
      onSecond: () => undefined,
      end: () => {
        throw new Error('a test does not end');
      },
    },
    stdin: stdinOf(options.stdin ?? ''),
    stderr: terminal(options.isTTY ?? false, drawn.add),
    out: async (data) => printed.add(Buffer.from(data).toString()),
    get hasWritten() {
      return printed.isUsed();
    },
    note: noted.add,
    giveWay: () => undefined,
  };
  const run: TestProgram['run'] = async (name = '', ...rest) => {
    const command = findCommand(name, COMMANDS);
    const { args, options: given } = parseCommandLine(command, rest);
    const { run: work } = await command.load();
    return await work({ args, options: given, context, commands: COMMANDS });
  };
  return {
    world,
    context,
    data,
    store: () => openEmbeddedStore(data),
    printed: () => printed.take().join(''),
    noted: noted.take,
    drawn: () => drawn.take().join(''),
    run,
    must: async (...argv) => {
      const status = await run(...argv);
      if (status !== 0) throw new Error(`images ${argv.join(' ')}: status ${status}: ${noted.take().join('\n')}`);
      return printed.take().join('');
    },
  };
}

function recorded() {
  let texts: string[] = [];
  let isUsed = false;
  return {
    isUsed: () => isUsed,
    add: (text: string) => {
      isUsed = true;
      texts.push(text);
    },
    take: (): readonly string[] => {
      const taken = texts;
      texts = [];
      return taken;
    },
  };
}

async function* stdinOf(text: string): AsyncGenerator<Uint8Array> {
  if (text !== '') yield Buffer.from(text);
}

function terminal(isTTY: boolean, write: (text: string) => void): Terminal {
  const stream = new Writable({
    write: (chunk: Buffer, _, done) => {
      write(chunk.toString());
      done();
    },
  });
  return {
    isTTY,
    columns: 100,
    rows: 24,
    stream: Object.assign(stream, { isTTY, columns: 100, rows: 24 }) as unknown as NodeJS.WriteStream,
    write,
  };
}
