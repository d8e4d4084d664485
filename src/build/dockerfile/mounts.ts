// `RUN --mount=…`: its fields are checked when the file is parsed; their values are read, with variables expanded, when it is evaluated.
import type { Word } from './instructions.ts';
import { mistake, type Statement } from './source.ts';

export type MountType = 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';

export interface Mount {
  readonly type: MountType;
  /** A stage or an image; the context if absent. */
  readonly from?: string;
  readonly source?: string;
  readonly target?: string;
  readonly readOnly: boolean;
  readonly id?: string;
  readonly sharing?: 'shared' | 'private' | 'locked';
  readonly required: boolean;
  /** In bytes. */
  readonly size?: number;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** The environment variable for a secret. If empty, it is named like the secret. */
  readonly env?: string;
}

const TYPES: readonly string[] = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] satisfies readonly MountType[];
const SHARING: readonly string[] = ['shared', 'private', 'locked'];
/** Maps every spelling of a field to its name. */
const FIELDS: Readonly<Record<string, string>> = {
  type: 'type',
  from: 'from',
  source: 'source',
  src: 'source',
  target: 'target',
  dst: 'target',
  destination: 'target',
  readonly: 'readonly',
  ro: 'readonly',
  readwrite: 'readwrite',
  rw: 'readwrite',
  id: 'id',
  sharing: 'sharing',
  required: 'required',
  size: 'size',
  mode: 'mode',
  uid: 'uid',
  gid: 'gid',
  env: 'env',
};
const WITHOUT_VALUE: readonly string[] = ['readonly', 'readwrite', 'required'];

/** Checks what does not depend on variables. Errors: DOCKERFILE_INVALID. */
export function checkMount(statement: Statement, flag: Word): void {
  const from = fieldsOf(flag.text.slice('--mount='.length)).find(([key]) => key === 'from')?.[1];
  if (from !== undefined && /\$(?=.)/.test(from)) {
    throw mistake(statement, `no variables in from= [${from}]`, {
      at: flag.at,
      length: flag.text.length,
      hint: 'Give the image a name with FROM … AS name, where variables are expanded.',
    });
  }
  if (!flag.text.includes('$')) parseMount(statement, flag.text.slice('--mount='.length), flag);
}

/** `expand` expands the variables in a value. Errors: DOCKERFILE_INVALID. */
export function parseMount(
  statement: Statement,
  text: string,
  flag: Word = { text, at: Math.max(statement.text.indexOf(text), 0) },
  expand: (value: string) => string = (value) => value,
): Mount {
  const wrong = (message: string, word?: string, candidates?: readonly string[]) =>
    mistake(statement, message, {
      at: flag.at,
      length: flag.text.length,
      ...(word !== undefined && { word }),
      ...(candidates && { candidates }),
    });
  const values = new Map<string, string>();
  for (const [key, raw] of fieldsOf(text)) {
    const field = Object.hasOwn(FIELDS, key) ? FIELDS[key] : undefined;
    if (!field) throw wrong(`unknown field of --mount [${key}]`, key, Object.keys(FIELDS));
    if (raw === undefined && !WITHOUT_VALUE.includes(field)) throw wrong(`a field without a value [${key}]`);
    values.set(field, raw === undefined ? 'true' : field === 'from' ? raw : expand(raw));
  }
  const type = (values.get('type') ?? 'bind').toLowerCase();
  if (!isMountType(type)) throw wrong(`no type of mount [${values.get('type')}]`, type, TYPES);
  const sharing = values.get('sharing')?.toLowerCase();
  if (sharing !== undefined && !SHARING.includes(sharing))
    throw wrong(`no way of sharing [${sharing}]`, sharing, SHARING);
  const allowed = (field: string, ...types: readonly MountType[]) => {
    if (values.has(field) && !types.includes(type)) throw wrong(`${field} is not for mounts of type ${type}`);
  };
  allowed('sharing', 'cache');
  allowed('size', 'tmpfs');
  allowed('required', 'secret', 'ssh');
  allowed('env', 'secret');
  for (const field of ['mode', 'uid', 'gid']) allowed(field, 'secret', 'ssh', 'cache');
  if (type === 'secret') checkSecret(values, wrong);
  const number = (field: string, base: 8 | 10) => {
    const value = values.get(field);
    if (value === undefined) return undefined;
    const digits = base === 8 ? /^[0-7]{1,7}$/ : /^\d{1,10}$/;
    if (!digits.test(value)) throw wrong(`no number for ${field} [${value}]`);
    return Number.parseInt(value, base);
  };
  const truth = (field: string) => {
    const value = values.get(field);
    if (value === undefined) return undefined;
    if (/^(?:1|t|true)$/i.test(value)) return true;
    if (/^(?:0|f|false)$/i.test(value)) return false;
    throw wrong(`neither true nor false [${field}=${value}]`);
  };
  const readOnly = truth('readonly') ?? negated(truth('readwrite')) ?? (type !== 'cache' && type !== 'tmpfs');
  const size = values.has('size') ? sizeOf(values.get('size') as string) : undefined;
  if (values.has('size') && size === undefined) throw wrong(`not a size [${values.get('size')}]`);
  const optional = {
    from: values.get('from'),
    source: values.get('source'),
    target: values.get('target'),
    id: values.get('id'),
    sharing: sharing as Mount['sharing'],
    size,
    mode: number('mode', 8),
    uid: number('uid', 10),
    gid: number('gid', 10),
    env: values.get('env'),
  };
  const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  return { ...given, type, readOnly, required: truth('required') ?? false };
}

function checkSecret(values: ReadonlyMap<string, string>, wrong: (message: string) => Error): void {
  if (values.has('from')) throw wrong('a secret has no from=');
  if (!['source', 'target', 'id'].some((field) => values.has(field))) throw wrong('a secret needs an id= or a target=');
  if (values.has('source') && values.has('id')) throw wrong('a secret has source= or id=, not both');
}

/** Splits at commas; a field in double quotes may contain them (RFC 4180). */
function fieldsOf(text: string): readonly (readonly [string, string | undefined])[] {
  const fields = [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
  return fields.map((field) => {
    const equals = field.indexOf('=');
    return equals < 0
      ? [field.toLowerCase(), undefined]
      : [field.slice(0, equals).toLowerCase(), field.slice(equals + 1)];
  });
}

function isMountType(text: string): text is MountType {
  return TYPES.includes(text);
}

function negated(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value;
}

/** Parses a size: `64m`, `1.5g`, `1024`. Units are multiples of 1024. */
function sizeOf(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text) ?? [];
  if (number === undefined) return undefined;
  return Math.floor(Number(number) * 1024 ** ['', 'k', 'm', 'g', 't'].indexOf(unit.toLowerCase()));
}
