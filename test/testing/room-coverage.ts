// A vitest reporter for `--coverage`: lines and branches by room, held against floors. Only code that runs in the process
// of the tests counts, not the processes that end-to-end tests start.
import { readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';
import { FLOORS } from './coverage-floors.ts';

const ROOT = resolve(import.meta.dirname, '../..');

interface Count {
  readonly total: number;
  readonly covered: number;
}

export interface Coverage {
  readonly lines: Count;
  readonly branches: Count;
}

/** In percent. */
export interface Floor {
  readonly lines: number;
  readonly branches: number;
}

/** The used part of istanbul's CoverageMap. */
interface CoverageMap {
  files(): readonly string[];
  fileCoverageFor(file: string): { toSummary(): Coverage };
}

export function roomCoverage(): Reporter {
  let rooms: ReadonlyMap<string, Coverage> | undefined;
  let modules: readonly TestModule[] | undefined;
  // Vitest reports the coverage before the end of the run, but that order is undocumented.
  const holdToFloors = () => {
    if (!rooms || !modules) return;
    if (!isComplete(modules)) return console.log('Not held against the floors: not all tests of src/ have run.');
    const below = belowFloor(rooms, FLOORS, roomsWithSkipped(modules));
    if (below.length === 0) return;
    console.log(`\nBelow the floor (test/testing/coverage-floors.ts):\n${below.join('\n')}`);
    process.exitCode = 1;
  };
  return {
    onTestRunStart() {
      rooms = undefined;
      modules = undefined;
    },
    onTestRunEnd(ended) {
      modules = ended;
      holdToFloors();
    },
    onCoverage(coverage) {
      rooms = byRoom(coverage as CoverageMap);
      console.log(`\n${coverageTable(rooms).join('\n')}`);
      holdToFloors();
    },
  };
}

function byRoom(map: CoverageMap): ReadonlyMap<string, Coverage> {
  const rooms = new Map<string, Coverage>();
  for (const file of [...map.files()].sort()) {
    const room = roomOf(relative(ROOT, file));
    if (room === undefined) continue;
    const { lines, branches } = map.fileCoverageFor(file).toSummary();
    const before = rooms.get(room);
    rooms.set(room, { lines: sum(lines, before?.lines), branches: sum(branches, before?.branches) });
  }
  return rooms;
}

/** The room of a file below src/; `undefined` for a file beside the rooms. */
function roomOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

function sum(a: Count, b: Count = { total: 0, covered: 0 }): Count {
  return { total: a.total + b.total, covered: a.covered + b.covered };
}

/** One line for each room. */
export function coverageTable(rooms: ReadonlyMap<string, Coverage>): readonly string[] {
  const row = (room: string, ...cells: readonly string[]) =>
    room.padEnd(12) + cells.map((cell) => cell.padStart(14)).join('');
  return [
    row('room', 'lines', 'branches', 'all lines', 'all branches'),
    ...[...rooms].map(([room, { lines, branches }]) =>
      row(room, percent(lines).toFixed(1), percent(branches).toFixed(1), `${lines.total}`, `${branches.total}`),
    ),
  ];
}

/** One line for each room below its floor. Rooms in `excused` are not checked. A room without a floor is a mistake in the table. */
export function belowFloor(
  rooms: ReadonlyMap<string, Coverage>,
  floors: Readonly<Record<string, Floor>>,
  excused: ReadonlySet<string>,
): readonly string[] {
  return [...rooms].flatMap(([room, coverage]) => {
    const floor = floors[room];
    if (!floor) return [`${room}: has no floor`];
    if (excused.has(room)) return [];
    return (['lines', 'branches'] as const)
      .filter((kind) => percent(coverage[kind]) < floor[kind])
      .map((kind) => `${room}: ${percent(coverage[kind]).toFixed(1)} % of the ${kind}, not ${floor[kind]} %`);
  });
}

function percent({ total, covered }: Count): number {
  return total === 0 ? 100 : (100 * covered) / total;
}

/** Whether all tests beside the sources have run. Tests of upper rooms also cover lower ones. */
function isComplete(modules: readonly TestModule[]): boolean {
  const ran = new Set(modules.map((module) => module.moduleId));
  return readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .every((file) => ran.has(join(ROOT, 'src', file)));
}

/** Rooms with skipped tests (a peer or root is missing), which cannot reach their floors. */
function roomsWithSkipped(modules: readonly TestModule[]): ReadonlySet<string> {
  const skipped = modules.filter((module) =>
    [...module.children.allTests()].some((test) => test.result().state === 'skipped'),
  );
  return new Set(skipped.map((module) => roomOf(module.relativeModuleId)).filter((room) => room !== undefined));
}
