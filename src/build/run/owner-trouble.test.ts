import { describe, expect, it } from 'vitest';
import type { Ids } from './ids.ts';
import { OwnerTrouble } from './owner-trouble.ts';

const ONE = { owners: 'one', user: { uid: 1000, name: 'ada' }, firstFree: 100_000 } as Ids;
const MANY = { ...ONE, owners: 'many' } as Ids;
const MEND = 'sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ada';

function hintAfter(output: readonly string[], ids: Ids = ONE): string | undefined {
  const trouble = new OwnerTrouble(ids, undefined);
  for (const chunk of output) trouble.see(Buffer.from(chunk));
  return trouble.hint();
}

describe('a command that failed for a user with a single id', () => {
  it.each([
    "chown: changing ownership of 'x': Invalid argument",
    'tar: x: Cannot change ownership to uid 5, gid 5: Operation not permitted',
    'setgroups: Operation not permitted',
    'E: setgroups 65534 failed - setgroups (1: Operation not permitted)',
    'seteuid 42 failed - seteuid (22: Invalid argument)',
    'unable to set ownership: EPERM',
    'Invalid argument: chown failed for /var/x',
    'install: cannot change owner and permissions of ‘/x’: Operation not permitted',
  ])('gets a hint with the remedy if it prints: %s', (line) => {
    expect(hintAfter([`before\n${line}\nafter\n`])).toBe(`Give the user subordinate ids: ${MEND}`);
  });

  it.each(['make: *** [all] Error 2', 'Invalid argument', 'chown: missing operand', 'not found'])(
    'gets a hint that owners may be the cause if it prints: %s',
    (line) => {
      expect(hintAfter([`${line}\n`])).toBe(
        `If it needs files of other owners than root: Give the user subordinate ids: ${MEND}`,
      );
    },
  );

  it('is recognised by output that comes in pieces, but not across lines', () => {
    expect(hintAfter(['cho', 'wn: x: Invalid ', 'argument\n'])).toMatch(/^Give/);
    expect(hintAfter(['chown: x\n', 'Invalid argument of another thing\n'])).toMatch(/^If/);
  });

  it('is recognised after much output, and stays recognised', () => {
    const much = `${'compiling\n'.repeat(2000)}`;
    expect(hintAfter([much, 'chown: x: Invalid argument\n', much])).toMatch(/^Give/);
  });
});

it('output is not searched if files can have all owners', () => {
  expect(hintAfter(['chown: x: Invalid argument\n'], MANY)).toBeUndefined();
});

it('output is passed on, whoever the user is', () => {
  for (const ids of [ONE, MANY]) {
    const said: string[] = [];
    const trouble = new OwnerTrouble(ids, (chunk) => said.push(Buffer.from(chunk).toString()));
    for (const chunk of ['chown: x: Invalid argument\n', 'more']) trouble.see(Buffer.from(chunk));
    expect(said).toEqual(['chown: x: Invalid argument\n', 'more']);
  }
});
