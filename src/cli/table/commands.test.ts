import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CONFIG_KEYS, SERVING_OPTIONS } from '../../tasks/private-registry/config-keys.ts';
import { readConfigText } from '../../tasks/private-registry/registry-config.ts';
import { COMMON_OPTIONS } from '../grammar/command.ts';
import { generalHelp, helpOf } from '../grammar/help.ts';
import { commandReference } from '../grammar/reference.ts';
import { VERSION } from '../process/version.ts';
import { COMMANDS } from './commands.ts';

const ROOT = join(import.meta.dirname, '../../..');

describe('the table of commands', () => {
  it('names each command, and each option of a command, once', () => {
    const names = COMMANDS.flatMap((command) => [command.name, ...(command.aliases ?? [])]);
    expect(new Set(names).size).toBe(names.length);
    for (const command of COMMANDS) {
      const options = [...command.options, ...COMMON_OPTIONS].map((option) => option.name);
      expect(new Set(options).size, command.name).toBe(options.length);
    }
  });

  it('has a file for each command, and no file is without its command', async () => {
    const files = readdirSync(join(import.meta.dirname, '../commands')).filter((file) => !file.endsWith('.test.ts'));
    expect(files).toHaveLength(COMMANDS.length);
    for (const command of COMMANDS) expect(typeof (await command.load()).run, command.name).toBe('function');
  });

  it('gives each command that says how a registry is served all options that have a key', () => {
    const names = SERVING_OPTIONS.map(({ name }) => name);
    for (const name of ['serve', 'lreg_start', 'lreg_service']) {
      const options = COMMANDS.find((command) => command.name === name)?.options.map((option) => option.name);
      expect(options, name).toEqual(expect.arrayContaining(names));
    }
  });

  it('has every command that the reference promises', () => {
    const names = COMMANDS.flatMap((command) => [command.name, ...(command.aliases ?? [])]);
    expect(names).toEqual(
      expect.arrayContaining([
        ...['getimages', 'lreg_preload', 'lreg_missingimages', 'lreg_cache', 'lreg_ls', 'docker_lsreg'],
        ...[
          'lreg_isloaded',
          'lreg_inspect',
          'lreg_du',
          'lreg_rm',
          'lreg_ip',
          'lreg_start',
          'lreg_stop',
          'lreg_status',
          'serve',
        ],
      ]),
    );
  });

  it('offers --json on every command that lists or inspects', () => {
    const listing = ['getimages', 'lreg_missingimages', 'lreg_ls', 'lreg_inspect', 'lreg_ip', 'lreg_status'];
    for (const name of listing) {
      const command = COMMANDS.find((candidate) => candidate.name === name);
      expect(
        command?.options.map((option) => option.name),
        name,
      ).toContain('json');
    }
  });
});

describe('what a registry is served with', () => {
  const optionsOf = (name: string) => COMMANDS.find((command) => command.name === name)?.options.map((one) => one.name);
  const known = CONFIG_KEYS.flatMap(({ option }) => option?.name ?? []);

  it('can be said by an option and by a key of registry.toml, of `serve` and of `lreg_start` alike', () => {
    expect(optionsOf('serve')?.sort()).toEqual([...known, 'config', 'data', 'ready-fd'].sort());
    expect(optionsOf('lreg_start')?.sort()).toEqual([...known, 'config', 'data', 'json'].sort());
    expect(CONFIG_KEYS.map(({ key }) => key)).toContain('data');
  });

  it('is written in registry.toml as the table of keys says', async () => {
    const source = { file: '/d/r.toml', isNamed: true };
    for (const { key, example, fields } of CONFIG_KEYS) {
      const needed = { 'tls.cert': 'tls.key = "k"\n', 'tls.key': 'tls.cert = "c"\n', 'tls.names': 'tls.auto = true\n' };
      const before = needed[key as keyof typeof needed] ?? '';
      expect((await readConfigText(source, `${before}${key} = ${example}\n`)).mistakes, key).toEqual([]);
      for (const { name, example: value } of fields ?? []) {
        const also = name === 'users' ? 'auth = "htpasswd:users"\n' : '';
        const rest = { keep: 'images = "a"', rule: 'allow = []' }[key] ?? '';
        const text = `${also}[[${key}]]\n${rest.startsWith(name) ? '' : rest}\n${name} = ${value}\n`;
        expect((await readConfigText(source, text)).mistakes, `${key}.${name}`).toEqual([]);
      }
    }
  });
});

describe('help', () => {
  it('shows every command that is not hidden', () => {
    const text = generalHelp(COMMANDS);
    for (const { name, hidden } of COMMANDS) expect(text.includes(`  ${name} `), name).toBe(!hidden);
  });

  it('of a command shows how to write it, each option and an example', () => {
    const preload = COMMANDS.find((command) => command.name === 'lreg_preload');
    const text = preload ? helpOf(preload) : '';
    expect(text).toMatch(/^images lreg_preload \[--option\[=value\] …\] \[OVL\|DIR\|FILE\|-…\]\n/);
    for (const option of preload?.options ?? []) expect(text).toContain(`--${option.name}`);
    expect(text).toContain('kubeadm config images list | images lreg_preload -');
  });

  it('fits a terminal of 80 columns', () => {
    for (const text of [generalHelp(COMMANDS), ...COMMANDS.map(helpOf)]) {
      for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    }
  });
});

describe('what is generated', () => {
  it('docs/commands.md is current: else `npm run docs`', () => {
    expect(readFileSync(join(ROOT, 'docs/commands.md'), 'utf8')).toBe(commandReference(COMMANDS));
  });

  it('the version is that of package.json', () => {
    expect(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version).toBe(VERSION);
  });
});
