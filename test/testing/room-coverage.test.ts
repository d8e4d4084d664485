import { describe, expect, it } from 'vitest';
import { belowFloor, coverageTable } from './room-coverage.ts';

const half = { lines: { total: 200, covered: 100 }, branches: { total: 10, covered: 9 } };
const nothing = { lines: { total: 0, covered: 0 }, branches: { total: 0, covered: 0 } };

it('the table has a line for each room, in percent', () => {
  const [head, ...rooms] = coverageTable(
    new Map([
      ['io', half],
      ['nodes', nothing],
    ]),
  );
  expect(head?.split(/ {2,}/)).toEqual(['room', 'lines', 'branches', 'all lines', 'all branches']);
  expect(rooms.map((row) => row.split(/ +/))).toEqual([
    ['io', '50.0', '90.0', '200', '10'],
    ['nodes', '100.0', '100.0', '0', '0'],
  ]);
});

describe('a room', () => {
  const rooms = new Map([['io', half]]);
  const floors = { io: { lines: 51, branches: 90 } };

  it('below its floor is reported, with what it reaches', () => {
    expect(belowFloor(rooms, floors, new Set())).toEqual(['io: 50.0 % of the lines, not 51 %']);
  });

  it('at its floor is not reported', () => {
    expect(belowFloor(rooms, { io: { lines: 50, branches: 90 } }, new Set())).toEqual([]);
  });

  it('in which tests were skipped is held to nothing', () => {
    expect(belowFloor(rooms, floors, new Set(['io']))).toEqual([]);
  });

  it('without a floor is reported, whatever was skipped', () => {
    expect(belowFloor(rooms, {}, new Set(['io']))).toEqual(['io: has no floor']);
  });
});
