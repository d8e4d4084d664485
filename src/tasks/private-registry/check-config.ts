// `config --check`: all mistakes of a configuration, with what is wrong in the files that it names.
import { join, resolve } from 'node:path';
import { openHtpasswdFile } from '../../access/htpasswd-file.ts';
import { readGiven } from '../../certificates/given.ts';
import { checkArguments, objectWith, orAbsent, TEXT } from '../../oci/arguments.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { SETTINGS } from '../arguments.ts';
import type { Settings } from '../settings.ts';
import { CONFIG_NAME, configFile } from './config-file.ts';
import { readAtRest } from './file-at-rest.ts';
import { namedConfig, withNamedData } from './named-config.ts';
import { type ConfigReading, readConfigText } from './registry-config.ts';
import { dataDirectory } from './registry-state.ts';
import type { TomlMistake, TomlPath } from './toml-values.ts';
import { unknownUsers } from './unknown-users.ts';

export interface ConfigMistake {
  /** From 1; absent if it is not known. */
  readonly line?: number;
  /** With its table: `proxy.ttl`. */
  readonly key?: string;
  /** With file and line. */
  readonly message: string;
  readonly hint?: string;
}

export interface CheckedConfig {
  readonly file: string;
  /** Without it the defaults hold. */
  readonly isThere: boolean;
  readonly mistakes: readonly ConfigMistake[];
  /** What a registry starts with, and is probably not meant: a sentence each. */
  readonly warnings: readonly string[];
}

/** Without a file: the one that commands obey. Errors: FILE_UNREADABLE, NO_REGISTRY and CONFIG_INVALID (whose data directory is meant). */
export async function checkConfig(request: { readonly file?: string }, settings: Settings): Promise<CheckedConfig> {
  checkArguments({ request: [request, objectWith({ file: orAbsent(TEXT) })], settings: [settings, SETTINGS] });
  const { file, isNamed } = await fileToCheck(request.file, settings);
  const { text } = await readAtRest(file);
  if (text === undefined && isNamed) {
    throw new ImagesError('FILE_UNREADABLE', `no such file [${file}]`, { hint: 'Check what --config says.' });
  }
  if (text === undefined) return { file, isThere: false, mistakes: [], warnings: [] };
  const reading = await readConfigText({ file, isNamed }, text);
  const mistakes = [...reading.mistakes.map(asMistake), ...(await mistakesInFiles(file, reading))];
  const warnings = await warningsOf(file, reading);
  return { file, isThere: true, mistakes, warnings };
}

async function fileToCheck(given: string | undefined, settings: Settings) {
  if (given !== undefined) {
    const file = resolve(given);
    const own = settings.data === undefined ? undefined : join(settings.data, CONFIG_NAME);
    return { file, isNamed: own === undefined || resolve(own) !== file };
  }
  const { config } = settings;
  // What is wrong with a file that is named is not to be an error already when the data is looked for.
  const data = config === undefined ? dataDirectory(await withNamedData(settings)) : '';
  const named = config ?? namedConfig(data, settings);
  return { file: configFile(data, named), isNamed: named !== undefined };
}

function asMistake({ line, key, error }: TomlMistake): ConfigMistake {
  const { message, hint } = error;
  return {
    ...(line !== undefined && { line }),
    ...(key !== undefined && { key }),
    message,
    ...(hint !== undefined && { hint }),
  };
}

/** What a start or a reload would be refused for. */
async function mistakesInFiles(file: string, { config, lineOf }: ConfigReading): Promise<readonly ConfigMistake[]> {
  const found: ConfigMistake[] = [];
  const look = async (path: TomlPath, work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      if (!isImagesError(error)) throw error;
      const line = lineOf(path);
      const where = line === undefined ? file : `${file}:${line}`;
      const message = `${where}: ${error.message}`;
      found.push(
        asMistake({
          key: path.join('.'),
          error: new ImagesError(error.code, message, hintOf(error)),
          ...(line !== undefined && { line }),
        }),
      );
    }
  };
  const { htpasswd } = config.access;
  if (htpasswd !== undefined) await look(['auth'], () => openHtpasswdFile({ file: htpasswd, now: Date.now }));
  const { tlsCertificate, tlsKey } = config.tls ?? {};
  if (tlsCertificate !== undefined && tlsKey !== undefined)
    await look(['tls', 'cert'], () => readGiven({ certificate: tlsCertificate, key: tlsKey }));
  return found;
}

function hintOf({ hint }: ImagesError): { readonly hint?: string } {
  return hint === undefined ? {} : { hint };
}

async function warningsOf(file: string, { config, lineOf }: ConfigReading): Promise<readonly string[]> {
  const { rules = [], htpasswd } = config.access;
  const unknown = await unknownUsers(config.access);
  const named = htpasswd === undefined ? rules.findIndex(({ users }) => users !== undefined) : -1;
  const alone =
    named >= 0
      ? `${file}:${lineOf(['rule', named, 'users']) ?? 1}: a rule names users, and auth is not here: the registry has to be started with --auth=htpasswd:FILE`
      : undefined;
  return [unknown, alone].filter((text) => text !== undefined);
}
