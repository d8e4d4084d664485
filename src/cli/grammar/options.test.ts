import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { testProgram } from '../testing/program.ts';
import { copyOptions, oneCopyOptions } from './copy-options.ts';
import { type OptionValues, positiveNumber, readOptions } from './options.ts';
import { configSettings, taskSettings } from './task-settings.ts';

const NAMES = ['json', 'data', 'config', 'force', 'dry-run', 'referrers', 'keep-going', 'platform', 'compression'];
const options = (values: Readonly<Record<string, readonly (string | true)[]>>) =>
  readOptions(
    NAMES.map((name) => ({ name, help: '' })),
    new Map(Object.entries(values)) satisfies OptionValues,
  );

it('the last value counts, unless all are asked for', () => {
  const given = options({ data: ['/a', '/b'], json: [true] });
  expect([given.text('data'), given.texts('data'), given.flag('json')]).toEqual(['/b', ['/a', '/b'], true]);
  expect([given.text('json'), given.flag('data'), given.flag('force'), given.texts('platform')]).toEqual([
    undefined,
    false,
    false,
    [],
  ]);
});

it('an option that the command does not have is a bug', () => {
  expect(() => options({}).flag('jsno')).toThrow('option is not declared [jsno]');
});

it('a positive number is a whole one', () => {
  expect(positiveNumber('15', '--top')).toBe(15);
  for (const text of ['0', '-1', '1.5', '', '1e3', '9999999999'])
    expect(() => positiveNumber(text, '--top'), text).toThrow(`--top takes a whole number from 1 [${text}]`);
});

it('what copying commands share is read once', () => {
  expect(copyOptions(options({}))).toEqual({ force: false, dryRun: false, referrers: false, keepGoing: false });
  expect(copyOptions(options({ platform: ['linux/amd64,linux/arm64'], 'keep-going': [true] }))).toMatchObject({
    keepGoing: true,
    platforms: [{ architecture: 'amd64' }, { architecture: 'arm64' }],
  });
  expect(oneCopyOptions(options({ compression: ['zstd:5'], platform: ['all'] }))).toEqual({
    force: false,
    dryRun: false,
    referrers: false,
    compression: { kind: 'zstd', level: 5 },
    platforms: 'all',
  });
  expect(oneCopyOptions(options({}))).not.toHaveProperty('compression');
});

it('settings of tasks have --data and --config, and say each note once', async () => {
  const { context, noted } = await testProgram();
  expect(taskSettings(context)).not.toHaveProperty('data');
  const settings = taskSettings(context, options({ data: ['/d'] }));
  expect(settings).toMatchObject({ data: '/d', home: context.home });
  for (const note of ['a', 'b', 'a']) settings.onNote?.(note);
  expect(noted()).toEqual(['a', 'b']);
  expect(configSettings(options({}))).toEqual({});
  expect(configSettings(options({ config: ['r.toml'] }))).toEqual({ config: resolve('r.toml') });
});
