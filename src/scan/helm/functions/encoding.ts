// Template functions for encoding, hashes, secrets and times. Results that differ from run to run are UNKNOWN.
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { type Dictionary, dictionary, isDictionary, print, UNKNOWN } from '../template/values.ts';
import { printable, readYaml, writeYaml } from '../template/yaml-values.ts';
import type { FunctionTable } from './function-table.ts';

const unknown = (): string => UNKNOWN;
const hash =
  (algorithm: string) =>
  ([text]: readonly unknown[]): string =>
    createHash(algorithm).update(print(text)).digest('hex');
const certificate = (): Dictionary =>
  dictionary([
    ['Cert', UNKNOWN],
    ['Key', UNKNOWN],
  ]);

export const encodingFunctions: FunctionTable = {
  b64enc: ([text]) => Buffer.from(print(text)).toString('base64'),
  b64dec: ([text]) => Buffer.from(print(text), 'base64').toString('utf8'),
  b32enc: unknown,
  b32dec: unknown,
  sha1sum: hash('sha1'),
  sha256sum: hash('sha256'),
  sha512sum: hash('sha512'),
  adler32sum: unknown,
  toYaml: ([value]) => writeYaml(value),
  toYamlPretty: ([value]) => writeYaml(value),
  mustToYaml: ([value]) => writeYaml(value),
  fromYaml: ([text]) => {
    const value = readYaml(print(text));
    return isDictionary(value) ? value : dictionary();
  },
  fromYamlArray: ([text]) => {
    const value = readYaml(print(text));
    return Array.isArray(value) ? value : [];
  },
  toJson: ([value]) => JSON.stringify(printable(value)),
  mustToJson: ([value]) => JSON.stringify(printable(value)),
  toRawJson: ([value]) => JSON.stringify(printable(value)),
  mustToRawJson: ([value]) => JSON.stringify(printable(value)),
  toPrettyJson: ([value]) => JSON.stringify(printable(value), undefined, 2),
  mustToPrettyJson: ([value]) => JSON.stringify(printable(value), undefined, 2),
  fromJson: ([text]) => readYaml(print(text)) ?? dictionary(),
  mustFromJson: ([text]) => readYaml(print(text)) ?? dictionary(),
  fromJsonArray: ([text]) => readYaml(print(text)) ?? [],
  toToml: unknown,
  mustToToml: unknown,
  fromToml: unknown,

  randAlphaNum: unknown,
  randAlpha: unknown,
  randNumeric: unknown,
  randAscii: unknown,
  randBytes: unknown,
  randInt: unknown,
  uuidv4: unknown,
  derivePassword: unknown,
  genPrivateKey: unknown,
  bcrypt: unknown,
  htpasswd: unknown,
  encryptAES: unknown,
  decryptAES: unknown,
  genCA: certificate,
  genCAWithKey: certificate,
  genSelfSignedCert: certificate,
  genSelfSignedCertWithKey: certificate,
  genSignedCert: certificate,
  genSignedCertWithKey: certificate,
  buildCustomCert: certificate,
  getHostByName: unknown,

  now: unknown,
  date: unknown,
  dateInZone: unknown,
  dateModify: unknown,
  date_modify: unknown,
  date_in_zone: unknown,
  mustDateModify: unknown,
  must_date_modify: unknown,
  htmlDate: unknown,
  htmlDateInZone: unknown,
  toDate: unknown,
  mustToDate: unknown,
  unixEpoch: unknown,
  ago: unknown,
  duration: unknown,
  durationRound: unknown,

  base: ([path]) => posix.basename(print(path)),
  dir: ([path]) => posix.dirname(print(path)),
  ext: ([path]) => posix.extname(print(path)),
  clean: ([path]) => posix.normalize(print(path)),
  isAbs: ([path]) => posix.isAbsolute(print(path)),
  osClean: ([path]) => posix.normalize(print(path)),
  osIsAbs: ([path]) => posix.isAbsolute(print(path)),
  osBase: ([path]) => posix.basename(print(path)),
  osDir: ([path]) => posix.dirname(print(path)),
  osExt: ([path]) => posix.extname(print(path)),
  urlParse: ([text]) => partsOfUrl(print(text)),
  urlJoin: ([parts]) => joinUrl(parts),
};

function partsOfUrl(text: string): Dictionary {
  const match = /^(?:([a-z][a-z\d+.-]*):)?(?:\/\/(?:([^@/]*)@)?([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/is.exec(
    text,
  );
  const [, scheme = '', userinfo = '', host = '', path = '', query = '', fragment = ''] = match ?? [];
  return dictionary([
    ['scheme', scheme],
    ['userinfo', userinfo],
    ['host', host],
    ['hostname', host.replace(/:\d+$/, '')],
    ['path', path],
    ['query', query],
    ['opaque', ''],
    ['fragment', fragment],
  ]);
}

function joinUrl(parts: unknown): string {
  if (!isDictionary(parts)) return '';
  const text = (name: string): string => print(parts[name]);
  const start = `${text('scheme') && `${text('scheme')}:`}${text('host') && `//${text('userinfo') && `${text('userinfo')}@`}${text('host')}`}`;
  return `${start}${text('path')}${text('query') && `?${text('query')}`}${text('fragment') && `#${text('fragment')}`}`;
}
