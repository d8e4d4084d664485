import { describe, expect, it } from 'vitest';
import { singleFlight } from './single-flight.ts';

describe('single-flight calls', () => {
  it('let one caller work for a key while others wait, and different keys work at the same time', async () => {
    const turns = singleFlight<string>();
    const done = new Set<string>();
    let atATime = 0;
    let most = 0;
    const works: string[] = [];
    const run = (key: string) =>
      turns.run(
        key,
        () => done.has(key),
        async () => {
          works.push(key);
          most = Math.max(most, ++atATime);
          await new Promise((resolve) => setTimeout(resolve, 5));
          atATime--;
          done.add(key);
        },
      );
    await Promise.all([run('a'), run('a'), run('b'), run('a')]);
    expect(works).toEqual(['a', 'b']);
    expect(most).toBe(2);
  });

  it('pass the work on to a waiting caller after a failure, and throw each caller only its own failure', async () => {
    const turns = singleFlight<string>();
    let tries = 0;
    let done = false;
    const work = async () => {
      await Promise.resolve();
      if (++tries < 3) throw new Error(`try ${tries}`);
      done = true;
    };
    const all = [1, 2, 3, 4].map(() => turns.run('a', () => done, work));
    const results = await Promise.allSettled(all);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: { message: 'try 2' } });
    expect(tries).toBe(3);
  });

  it('stop waiting when their own signal is aborted', async () => {
    const turns = singleFlight<string>();
    const interrupted = new AbortController();
    let finish = () => {};
    const first = turns.run(
      'a',
      () => false,
      () => new Promise((_, reject) => (finish = () => reject(new Error('no')))),
    );
    const second = turns.run(
      'a',
      () => false,
      async () => {},
      interrupted.signal,
    );
    interrupted.abort(new Error('enough'));
    finish();
    await expect(first).rejects.toThrow('no');
    await expect(second).rejects.toThrow('enough');
    await turns.settled();
  });
});
