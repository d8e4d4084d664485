import { hashSync } from 'bcryptjs';
import { describe, expect, it } from 'vitest';
import type { BcryptThread } from './bcrypt-thread.ts';
import { costOf } from './htpasswd.ts';
import { createPasswordCheck } from './password-check.ts';

const MINUTE = 60_000;

/** A thread that knows the passwords: the hash of each has it at its end. */
function scene(passwords: Readonly<Record<string, string>> = { anna: 'right', bob: 'other' }) {
  const clock = { ms: 1_000_000 };
  const users = new Map(Object.entries(passwords).map(([user, password]) => [user, hashOf(password)]));
  const asked: { readonly password: string; readonly hash: string }[] = [];
  const held: (() => void)[] = [];
  const thread: BcryptThread & { isHeld: boolean } = {
    isHeld: false,
    compare: async (password, hash) => {
      asked.push({ password, hash });
      if (thread.isHeld) await new Promise<void>((resolve) => held.push(resolve));
      return hash === hashOf(password);
    },
    [Symbol.dispose]: () => undefined,
  };
  const check = createPasswordCheck({ users: () => users, now: () => clock.ms, thread });
  const attempt = async (user: string, password: string, address = '10.0.0.1'): Promise<string> => {
    try {
      await check.verify({ user, password, address });
      return 'right';
    } catch (error) {
      return String((error as { readonly code?: string }).code);
    }
  };
  return {
    clock,
    users,
    asked,
    thread,
    attempt,
    check,
    release: () => {
      for (const go of held.splice(0)) go();
    },
  };
}

function hashOf(password: string): string {
  return `$2b$05$${Buffer.from(password).toString('hex').padStart(53, '.')}`;
}

describe('a password', () => {
  it('is right or wrong', async () => {
    const { attempt } = scene();
    expect(await attempt('anna', 'right')).toBe('right');
    expect(await attempt('anna', 'other')).toBe('UNAUTHORIZED');
    expect(await attempt('nobody', 'right')).toBe('UNAUTHORIZED');
  });

  it('is remembered for a minute, for its address', async () => {
    const { attempt, asked, clock, check } = scene();
    await attempt('anna', 'right');
    clock.ms += MINUTE - 1;
    expect(check.verify({ user: 'anna', password: 'right', address: '10.0.0.1' })).toBeUndefined();
    expect(asked).toHaveLength(1);
    await attempt('anna', 'right', '10.0.0.2');
    expect(asked).toHaveLength(2);
    clock.ms += 1;
    await attempt('anna', 'right');
    expect(asked).toHaveLength(3);
  });

  it('that was right is recalled for as long as it is remembered', async () => {
    const { attempt, users, clock, check } = scene();
    await attempt('anna', 'right');
    const recall = (password: string, user = 'anna') => check.recall({ user, password, address: '10.0.0.1' });
    expect([recall('right')(), recall('other')(), recall('right', 'nobody')()]).toEqual([true, false, false]);
    const isStillRight = recall('right');
    users.set('anna', hashOf('new'));
    expect(isStillRight()).toBe(false);
    users.set('anna', hashOf('right'));
    expect(isStillRight()).toBe(true);
    clock.ms += MINUTE;
    expect(isStillRight()).toBe(false);
  });

  it('is forgotten at once when the line of its user changes or goes', async () => {
    const { attempt, users } = scene();
    await attempt('anna', 'right');
    users.set('anna', hashOf('new'));
    expect(await attempt('anna', 'right')).toBe('UNAUTHORIZED');
    expect(await attempt('anna', 'new')).toBe('right');
    users.delete('anna');
    expect(await attempt('anna', 'new')).toBe('UNAUTHORIZED');
  });

  it('is wrong if the line of its user changes while it is checked', async () => {
    const { attempt, users, thread, release } = scene();
    thread.isHeld = true;
    const answer = attempt('anna', 'right');
    users.set('anna', hashOf('new'));
    release();
    expect(await answer).toBe('UNAUTHORIZED');
  });

  it('is asked for once by those who ask at once', async () => {
    const { attempt, asked, thread, release } = scene();
    thread.isHeld = true;
    const answers = Array.from({ length: 20 }, () => attempt('anna', 'right'));
    release();
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['right']));
    expect(asked).toHaveLength(1);
  });

  it.each(['', 'a\0b', 'right\0', 'x'.repeat(73), 'ä'.repeat(37)])(
    'that bcrypt would cut is no password: %j',
    async (password) => {
      const { attempt, asked } = scene({ anna: password.split('\0')[0] ?? '' });
      expect(await attempt('anna', password)).toBe('UNAUTHORIZED');
      expect(asked).toEqual([]);
    },
  );
});

describe('who is no user', () => {
  it('costs a check all the same, with the cost of some user', async () => {
    const { attempt, asked } = scene();
    await attempt('nobody', 'right');
    await attempt('constructor', 'right');
    expect(asked.map(({ hash }) => costOf(hash))).toEqual([5, 5]);
    const none = scene({});
    await none.attempt('nobody', 'right');
    expect(none.asked.map(({ hash }) => costOf(hash))).toEqual([10]);
  });

  it('costs a real check: the hash that stands in is one', async () => {
    const { attempt, asked } = scene();
    await attempt('nobody', 'right');
    const { hash = '' } = asked[0] ?? {};
    expect(hashSync('anything', hash.slice(0, 29))).toMatch(/^\$2b\$05\$/);
  });

  it('is not let in, whatever the check says', async () => {
    const { attempt, thread } = scene();
    thread.compare = async () => true;
    expect(await attempt('nobody', 'right')).toBe('UNAUTHORIZED');
    expect(await attempt('nobody', 'right')).toBe('UNAUTHORIZED');
  });
});

describe('guessing', () => {
  it('by an address gets slower, from 0.1 to 10 s', async () => {
    const { attempt, clock } = scene();
    const waits: number[] = [];
    let last = clock.ms;
    while (waits.length < 12) {
      if ((await attempt(`user-${waits.length}`, 'guess')) === 'TOOMANYREQUESTS') clock.ms += 50;
      else {
        waits.push(clock.ms - last);
        last = clock.ms;
      }
    }
    expect(waits).toEqual([0, 0, 0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  });

  it('of a user gets slower from everywhere, but never by more than a second', async () => {
    const { attempt, clock } = scene();
    for (let guess = 0; guess < 40; guess++) {
      expect(await attempt('anna', `guess ${guess}`, `10.0.1.${guess}`)).toBe('UNAUTHORIZED');
      if (guess >= 2) expect(await attempt('anna', 'right', '10.0.0.1')).toBe('TOOMANYREQUESTS');
      clock.ms += 1000;
    }
    expect(await attempt('anna', 'right', '10.0.0.1')).toBe('right');
  });

  it('does not hold up who has logged in from another address', async () => {
    const { attempt, clock } = scene();
    await attempt('anna', 'right', '10.0.0.1');
    for (let guess = 0; guess < 10; guess++) {
      await attempt('anna', `guess ${guess}`, '10.0.0.9');
      expect(await attempt('anna', 'right', '10.0.0.1')).toBe('right');
      clock.ms += 1000;
    }
  });

  it('is not quicker at a password that is remembered', async () => {
    const { attempt, check } = scene();
    await attempt('anna', 'right');
    const isStillRight = check.recall({ user: 'anna', password: 'right', address: '10.0.0.1' });
    for (let guess = 0; guess < 200; guess++) await attempt('anna', `guess ${guess}`);
    expect(await attempt('anna', 'right')).toBe('TOOMANYREQUESTS');
    expect(isStillRight()).toBe(false);
  });

  it('is not made quicker by logging in between as another user', async () => {
    const { attempt, clock } = scene();
    for (let guess = 0; guess < 8; guess++) {
      await attempt('anna', `guess ${guess}`);
      clock.ms += 10_000;
      await attempt('bob', 'other');
    }
    expect(await attempt('anna', 'guess')).toBe('UNAUTHORIZED');
    expect(await attempt('anna', 'guess again')).toBe('TOOMANYREQUESTS');
  });

  it('is not what sends the same wrong password again: for a minute it is wrong at once, and slows nobody', async () => {
    const { attempt, asked, clock, users } = scene();
    for (let times = 0; times < 20; times++) expect(await attempt('anna', 'old')).toBe('UNAUTHORIZED');
    expect(asked).toHaveLength(1);
    expect(await attempt('anna', 'right')).toBe('right');
    await attempt('anna', 'old', '10.0.0.2');
    clock.ms += MINUTE;
    await attempt('anna', 'old');
    expect(asked).toHaveLength(4);
    // It may be right by now.
    users.set('anna', hashOf('old'));
    expect(await attempt('anna', 'old')).toBe('right');
  });

  it('is not done side by side', async () => {
    const { attempt, asked, thread, release, clock } = scene();
    for (let guess = 0; guess < 3; guess++) await attempt(`user-${guess}`, 'guess');
    clock.ms += 100;
    thread.isHeld = true;
    const answers = Array.from({ length: 20 }, (_, at) => attempt(`user-${at}`, 'another guess'));
    release();
    expect((await Promise.all(answers)).filter((answer) => answer === 'UNAUTHORIZED')).toHaveLength(1);
    expect(asked).toHaveLength(4);
  });

  it('from one network of IPv6 is guessing by one', async () => {
    const { attempt } = scene();
    for (let guess = 0; guess < 3; guess++) await attempt(`user-${guess}`, 'x', `fd00:0:0:1::${guess}`);
    expect(await attempt('user-9', 'x', 'fd00::1:0:0:0:9')).toBe('TOOMANYREQUESTS');
    expect(await attempt('user-9', 'x', 'fd00::2:0:0:0:9')).toBe('UNAUTHORIZED');
  });

  it('is forgotten after a quarter of an hour, and when the clock is set back', async () => {
    const { attempt, clock } = scene();
    for (let guess = 0; guess < 20; guess++) {
      await attempt('eve', `guess ${guess}`);
      clock.ms += 10_000;
    }
    await attempt('eve', 'guess');
    clock.ms -= 3_600_000;
    expect(await attempt('eve', 'guess again')).toBe('UNAUTHORIZED');
    expect(await attempt('eve', 'guess more')).toBe('UNAUTHORIZED');
    expect(await attempt('eve', 'and more')).toBe('UNAUTHORIZED');
    expect(await attempt('eve', 'too much')).toBe('TOOMANYREQUESTS');
    clock.ms += 15 * MINUTE;
    for (let guess = 0; guess < 3; guess++) expect(await attempt('eve', `${guess}`)).toBe('UNAUTHORIZED');
  });
});

describe('passwords that wait to be checked', () => {
  it('are two at most of one user, and eight in all', async () => {
    const { attempt, asked, thread, release } = scene();
    thread.isHeld = true;
    const ofAnna = Array.from({ length: 3 }, (_, at) => attempt('anna', `guess ${at}`, `10.0.1.${at}`));
    const ofOthers = Array.from({ length: 7 }, (_, at) => attempt(`user-${at}`, 'guess', `10.0.2.${at}`));
    release();
    expect(await Promise.all(ofAnna)).toEqual(['UNAUTHORIZED', 'UNAUTHORIZED', 'TOOMANYREQUESTS']);
    const refused = (await Promise.all(ofOthers)).filter((answer) => answer === 'TOOMANYREQUESTS');
    expect(refused).toHaveLength(1);
    expect(asked).toHaveLength(8);
  });

  it('make room when they are checked, and when the thread fails', async () => {
    const { attempt, check, thread } = scene();
    const { compare } = thread;
    thread.compare = async () => {
      throw new Error('the thread has ended');
    };
    for (let at = 0; at < 20; at++) {
      await expect(check.verify({ user: 'anna', password: 'right', address: '::1' })).rejects.toThrow('has ended');
    }
    thread.compare = compare;
    expect(await attempt('anna', 'right')).toBe('right');
  });
});
