// One sample of a registry's speed: clients in a process of their own, and the processor time of the server beside the time on the clock.
import { once } from 'node:events';
import { join } from 'node:path';
import { start } from '../test/peers/process.ts';
import { ROOT } from '../test/peers/program.ts';
import type { LoadPlan, LoadResult } from './registry-load.ts';
import type { Server } from './registry-servers.ts';

export type Planned = LoadPlan extends infer Plan ? (Plan extends LoadPlan ? Omit<Plan, 'port'> : never) : never;

export interface Sample {
  /** Requests, pushes or megabytes a second. */
  readonly speed: number;
  /** The same for each second of the server's processor time. */
  readonly thrift: number;
  readonly line: string;
}

export async function measured(server: Server, plan: Planned): Promise<Sample> {
  const before = server.cpu();
  const result = await load({ ...plan, port: server.port } as LoadPlan);
  const cpu = server.cpu() - before;
  const work = plan.kind === 'push' ? plan.images : plan.kind === 'ask' ? result.requests : result.bytes / 1e6;
  const speed = work / result.seconds;
  const line = `${speed.toFixed(0)}${unitOf(plan)} (${((cpu / work) * 1000).toFixed(3)} ms, clients ${((result.cpu / work) * 1000).toFixed(3)} ms)`;
  return { speed, thrift: work / cpu, line };
}

export function unitOf({ kind }: Planned): string {
  return kind === 'push' ? ' pushes/s' : kind === 'ask' ? ' /s' : ' MB/s';
}

/** Runs the plan in a process of its own. */
export async function load(plan: LoadPlan): Promise<LoadResult> {
  const child = start(process.execPath, [join(ROOT, 'bench/registry-load.ts')], { input: '' });
  child.stdin?.end(JSON.stringify(plan));
  const output: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr?.pipe(process.stderr);
  const [status] = (await once(child, 'close')) as [number];
  if (status !== 0) throw new Error(`the clients failed: ${JSON.stringify({ ...plan, paths: [] })}`);
  return JSON.parse(Buffer.concat(output).toString());
}
