import { expect, it } from 'vitest';
import { checkLogOptions, logSettings } from './log-config.ts';
import { parseRegistryToml } from './registry-config.ts';

const read = async (text: string) => await parseRegistryToml({ file: 'r.toml' }, text);

it('what is said comes before what the file says', () => {
  expect(logSettings({}, {})).toEqual({ isJson: false, isAccess: false, level: 'info' });
  expect(logSettings({ logLevel: 'debug' }, { log: ['json', 'access'], logLevel: 'warn' })).toEqual({
    isJson: true,
    isAccess: true,
    level: 'debug',
  });
  expect(logSettings({ log: ['access'] }, { log: ['json'] })).toMatchObject({ isJson: false, isAccess: true });
});

it.each([
  [{ log: ['xml'] }, '[--log=xml]'],
  [{ log: ['json', 'text'] }, 'text or json [--log=json,text]'],
  [{ logLevel: 'loud' }, '[--log-level=loud]'],
])('%j is refused', (options, message) => {
  expect(() => checkLogOptions(options)).toThrow(message);
});

it('registry.toml has keys for both', async () => {
  expect(await read('log = ["json", "access"]\nlog_level = "warn"\n')).toMatchObject({
    log: ['json', 'access'],
    logLevel: 'warn',
  });
  expect(await read('log = "json,access"\n')).toMatchObject({ log: ['json', 'access'] });
  await expect(read('\nlog = ["yaml"]\n')).rejects.toThrow('r.toml:2: not what a log can be');
  await expect(read('log_level = 3\n')).rejects.toThrow('r.toml:1: not a level');
});
