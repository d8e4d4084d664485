// What registry.toml says of where a registry listens, under which names, over which data, and how HTTPS is served.
import { dirname, resolve } from 'node:path';
import type { Json } from '../../oci/decode.ts';
import { parseListenAddress } from '../../server/address.ts';
import { checkNames } from './listen-addresses.ts';
import { type LogChoice, logConfig } from './log-config.ts';
import { checkTlsOptions, type TlsOptions } from './served-tls.ts';
import {
  ageIn,
  checkedBy,
  ifGiven,
  isTable,
  listOfTexts,
  nonEmptyText,
  shown,
  type TomlReading,
  trueOrFalse,
} from './toml-values.ts';
import { refuseUnknown } from './unknown-keys.ts';

export interface ListeningConfig extends LogChoice {
  /** As `--listen` takes them. */
  readonly listen?: readonly string[];
  readonly names?: readonly string[];
  /** The data directory, absolute. */
  readonly data?: string;
  readonly audit?: boolean;
  /** In milliseconds. */
  readonly drain?: number;
  /** Files by their absolute names. */
  readonly tls?: TlsOptions;
}

export interface ListeningSource {
  /** Names of files are relative to its directory. */
  readonly file: string;
  /** By --config: then it may say where the data is. */
  readonly isNamed?: boolean;
}

export function listeningConfig(
  content: Json,
  { file, isNamed = false }: ListeningSource,
  reading: TomlReading,
): ListeningConfig {
  const { fail, attempt } = reading;
  const listen = attempt(() => ifGiven(content.listen, (value) => listened(value, reading)));
  const names = attempt(() =>
    ifGiven(content.names, (value) => {
      const all = listOfTexts(value, ['names'], fail);
      checkedBy(() => checkNames(all), ['names'], fail);
      return all;
    }),
  );
  const data = attempt(() =>
    ifGiven(content.data, (value) => {
      const directory = resolve(dirname(file), nonEmptyText(value, ['data'], fail));
      if (isNamed) return directory;
      return fail(
        ['data'],
        'data is only for a file that --config names',
        'This file was found in the data directory: remove the line.',
      );
    }),
  );
  const audit = attempt(() => ifGiven(content.audit, (value) => trueOrFalse(value, ['audit'], fail)));
  const drain = attempt(() => ifGiven(content.drain, (value) => ageIn(value, ['drain'], fail)));
  const tls = attempt(() => ifGiven(content.tls, (value) => tlsConfig(value, dirname(file), reading)));
  return {
    ...(listen && { listen }),
    ...(names && { names }),
    ...(data !== undefined && { data }),
    ...(audit !== undefined && { audit }),
    ...(drain !== undefined && { drain }),
    ...(tls && { tls }),
    ...logConfig(content, reading),
  };
}

function listened(value: unknown, { fail }: TomlReading): readonly string[] {
  const all = typeof value === 'string' ? [value] : listOfTexts(value, ['listen'], fail);
  for (const address of all) checkedBy(() => parseListenAddress(address), ['listen'], fail);
  return all;
}

/** `tls = "auto"`, or a table: `auto = true`, or `cert` and `key`. `undefined` for `tls = false`. */
function tlsConfig(value: unknown, directory: string, reading: TomlReading): TlsOptions | undefined {
  const { fail } = reading;
  if (value === false) return undefined;
  if (value === 'auto') return { tls: 'auto' };
  if (!isTable(value)) {
    return fail(
      ['tls'],
      `tls is neither "auto" nor a table [${shown(value)}]`,
      'Write tls = "auto"; or, below a line [tls], cert = "FILE" and key = "FILE".',
    );
  }
  refuseUnknown(value, ['tls'], reading);
  const file = (key: string) =>
    ifGiven(value[key], (name) => resolve(directory, nonEmptyText(name, ['tls', key], fail)));
  const [tlsCertificate, tlsKey] = [file('cert'), file('key')];
  const isAuto = ifGiven(value.auto, (truth) => trueOrFalse(truth, ['tls', 'auto'], fail)) ?? false;
  const tlsNames = ifGiven(value.names, (names) => listOfTexts(names, ['tls', 'names'], fail));
  const tls: TlsOptions = {
    ...(isAuto && { tls: 'auto' }),
    ...(tlsCertificate !== undefined && { tlsCertificate }),
    ...(tlsKey !== undefined && { tlsKey }),
    ...(tlsNames?.length && { tlsNames }),
  };
  if ((tlsCertificate === undefined) !== (tlsKey === undefined)) {
    const [there, missing] = tlsKey === undefined ? ['cert', 'key'] : ['key', 'cert'];
    return fail(['tls', there], `tls has ${there} and no ${missing}`, `Add ${missing} = "FILE" below [tls].`);
  }
  if (isAuto && tlsCertificate !== undefined)
    return fail(['tls', 'auto'], 'tls.auto makes certificates, and one is given', 'Remove auto, or cert and key.');
  if (tlsNames?.length && !isAuto)
    return fail(['tls', 'names'], 'tls.names limits the own CA, which is not used', 'Add auto = true below [tls].');
  checkedBy(() => checkTlsOptions(tls), ['tls'], fail);
  return tls;
}
