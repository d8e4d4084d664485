import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { temporaryWorld } from '../testing/temporary-world.ts';
import { type StartedWith, servingRules } from './serving-rules.ts';

async function started(text: string, request: StartedWith = {}) {
  const world = await temporaryWorld();
  onTestFinished(() => world[Symbol.asyncDispose]());
  const file = join(world.path, 'registry.toml');
  const write = (content: string) => writeFile(file, content);
  await write(text);
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const rules = await servingRules(world.path, request, {});
  onTestFinished(() => rules[Symbol.dispose]());
  const change = async (content: string, isSeen: () => void) => {
    await write(content);
    await vi.waitFor(() => {
      vi.advanceTimersByTime(2000);
      isSeen();
    });
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
  const notices: string[] = [];
  const { rules, file, change } = await started('', { onNotice: (text) => notices.push(text) });
  await change('gc = "off"\nquota = "1 GiB"\n', () => expect(rules.gc).toBe('off'));
  expect(rules.config.quota).toBe(2 ** 30);
  expect(notices).toEqual([`the configuration has changed: ${file}`]);
});

it('a configuration with a mistake is told in one line, with the mend; the rules before stay', async () => {
  const notices: string[] = [];
  const { rules, file, change } = await started('gc = "off"\n', { onNotice: (text) => notices.push(text) });
  await change('gc = off\n', () => expect(notices).toHaveLength(1));
  expect(notices[0]).toContain(`the configuration has changed and is not used: ${file}:1: not TOML`);
  expect(notices[0]).toContain('. Texts are in quotes');
  expect(rules.gc).toBe('off');
});
