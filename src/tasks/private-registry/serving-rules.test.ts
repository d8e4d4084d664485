import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { type StartedWith, servingRules } from './serving-rules.ts';

async function started(text: string, request: StartedWith = {}) {
  const world = await temporaryWorld();
  onTestFinished(() => world[Symbol.asyncDispose]());
  const file = await world.file('registry.toml', text);
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const rules = await servingRules(world.path, request, {});
  onTestFinished(() => rules[Symbol.dispose]());
  const change = async (content: string, isSeen: () => void) => {
    await writeFile(file, content);
    await vi.waitFor(
      () => {
        vi.advanceTimersByTime(2000);
        isSeen();
      },
      { timeout: 60_000, interval: 10 },
    );
  };
  return { rules, file, change };
}

it('without anything said, garbage is collected each day and the store checked each week', async () => {
  const { rules } = await started('');
  expect(rules).toMatchObject({ gc: 'daily', scrub: 'weekly', config: { immutable: [], keep: [] } });
});

it('what the configuration says is overridden by what the registry was started with', async () => {
  const { rules } = await started('gc = "off"\nscrub = "off"\n', { gc: 'daily' });
  expect(rules).toMatchObject({ gc: 'daily', scrub: 'off' });
});

it('a changed configuration is used, and told', async () => {
  const changes: unknown[] = [];
  const { rules, change } = await started('', { onChange: () => changes.push(rules.gc) });
  await change('gc = "off"\nquota = "1 GiB"\n', () => expect(rules.gc).toBe('off'));
  expect(rules.config.quota).toBe(2 ** 30);
  expect(changes).toEqual(['off']);
});

it('logins that the configuration wants or wants no more are told, because they wait for a restart', async () => {
  const notices: string[] = [];
  const changes: unknown[] = [];
  const { rules, file, change } = await started('', {
    onNotice: (text) => notices.push(text),
    onChange: () => changes.push(rules.access),
  });
  const users = join(dirname(file), 'users');
  await change('auth = "htpasswd:users"\n', () => expect(changes).toHaveLength(1));
  expect(notices.at(-1)).toBe(
    `until \`images lreg_reload\` or a restart nobody can log in: the configuration names ${users}`,
  );
  expect(changes).toEqual([{}]);
});

it('users stay if their line is removed while the registry runs, and that is told', async () => {
  const notices: string[] = [];
  const { rules, file, change } = await started('auth = "htpasswd:users"\n', {
    onNotice: (text) => notices.push(text),
  });
  await change('', () => expect(notices).toHaveLength(1));
  const users = join(dirname(file), 'users');
  expect(notices[0]).toBe(
    `until \`images lreg_reload\` or a restart users log in with ${users}: without \`auth\` nobody could`,
  );
  expect(rules.access).toEqual({ htpasswd: users });
  await change('read_only = true\nauth = "htpasswd:users"\n', () => expect(rules.access.readOnly).toBe(true));
  expect(notices).toHaveLength(1);
});

it('a configuration with a mistake is told in one line, with the mend; the rules before stay', async () => {
  const notices: string[] = [];
  const { rules, file, change } = await started('gc = "off"\n', { onNotice: (text) => notices.push(text) });
  await change('gc = off\n', () => expect(notices).toHaveLength(1));
  expect(notices[0]).toContain(`the configuration has changed and is not used: ${file}:1: not TOML`);
  expect(notices[0]).toContain('. Texts are in quotes');
  expect(rules.gc).toBe('off');
});
