// Measuring processes: wall-clock time from spawn to exit, and the peak of resident memory as the kernel counted it.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type RunOptions, start } from '../test/peers/process.ts';

export interface Sample {
  readonly seconds: number;
  /** Peak resident memory in MB (10⁶ bytes) of the process itself; 0 where it ended before it was looked at. */
  readonly peak: number;
  /** Processor seconds of the process itself until it was last looked at, in steps of 10 ms. */
  readonly processor: number;
}

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly options?: RunOptions;
}

const LOOK_EVERY_MS = 20;

/** Insists on status 0. Memory is only looked at when asked, since looking takes time. */
export async function measure(what: Command, look: 'time' | 'memory' = 'time'): Promise<Sample> {
  const begun = performance.now();
  const child = start(what.command, what.args, what.options);
  const errors: Buffer[] = [];
  child.stdout?.resume();
  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk));
  let [peak, processor] = [0, 0];
  const see = () => {
    peak = Math.max(peak, highWater(child.pid));
    processor = Math.max(processor, processorSeconds(child.pid));
  };
  const timer = look === 'memory' ? setInterval(see, LOOK_EVERY_MS) : undefined;
  const [status] = (await once(child, 'exit')) as [number | null];
  const seconds = (performance.now() - begun) / 1000;
  clearInterval(timer);
  if (status !== 0) {
    throw new Error(`${what.command} ${what.args.join(' ')}: exit ${status}\n${Buffer.concat(errors).toString()}`);
  }
  return { seconds, peak, processor };
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return ((sorted[middle] ?? Number.NaN) + (sorted[sorted.length % 2 === 0 ? middle - 1 : middle] ?? Number.NaN)) / 2;
}

/** Median of the ratios within each round: what else the machine does then touches both alike. */
export function medianRatio(over: readonly number[], under: readonly number[]): number {
  return median(over.map((value, round) => value / (under[round] ?? Number.NaN)));
}

function highWater(pid: number | undefined): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return (Number(kilobytes ?? 0) * 1024) / 1e6;
  } catch {
    return 0;
  }
}

/** proc(5): after the name in parentheses, the 12th and 13th fields are ticks of 10 ms. */
function processorSeconds(pid: number | undefined): number {
  try {
    const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    const [user, system] = fields.split(' ').slice(11, 13).map(Number);
    return ((user ?? 0) + (system ?? 0)) / 100;
  } catch {
    return 0;
  }
}
