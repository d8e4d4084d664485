import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { identityOf, isAlive, ownIdentity } from './process-identity.ts';

describe('the identity of a process', () => {
  it('is alive for this process, and stays the same', () => {
    expect(isAlive(ownIdentity())).toBe(true);
    expect(identityOf(process.pid)).toBe(ownIdentity());
  });

  it('is dead once the process is, also before its parent noticed', async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const identity = identityOf(child.pid ?? 0) ?? '';
    expect(isAlive(identity)).toBe(true);
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    expect(isAlive(identity)).toBe(false);
    expect(identityOf(child.pid ?? 0)).toBeUndefined();
  });

  it.skipIf(!existsSync('/proc/self/stat'))(
    'is not that of another process with the same pid (skipped without /proc)',
    () => {
      const [pid, start, boot] = ownIdentity().split('.');
      expect(isAlive(`${pid}.${Number(start) + 1}.${boot}`)).toBe(false);
      expect(isAlive(`${pid}.${start}.00000000-0000-0000-0000-000000000000`)).toBe(false);
    },
  );

  it.each(['', 'x', '1', '0..', '-1..', '1.2.3.4', '99999999999999999999.1.'])(
    'counts as dead if it is not one: [%s]',
    (text) => {
      expect(isAlive(text)).toBe(false);
    },
  );
});
