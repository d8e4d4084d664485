// Template functions for numbers and versions.
import { TemplateError } from '../template/errors.ts';
import { compareVersions, parseVersion, satisfies, type Version } from '../template/semver.ts';
import { type Dictionary, dictionary, isDictionary, print, toInteger, toNumber } from '../template/values.ts';
import type { FunctionTable } from './function-table.ts';

/** Longer lists are an attack or a mistake. */
const MAX_LIST = 100_000;

export const numberFunctions: FunctionTable = {
  int: ([value]) => toInteger(value),
  int64: ([value]) => toInteger(value),
  float64: ([value]) => toNumber(value),
  atoi: ([value]) => toInteger(value),
  toDecimal: ([value]) => Number.parseInt(print(value), 8) || 0,
  add: (args) => args.reduce<number>((sum, arg) => sum + toInteger(arg), 0),
  add1: ([value]) => toInteger(value) + 1,
  sub: ([a, b]) => toInteger(a) - toInteger(b),
  mul: (args) => args.reduce<number>((product, arg) => product * toInteger(arg), 1),
  div: ([a, b]) => Math.trunc(toInteger(a) / divisor(b)),
  mod: ([a, b]) => toInteger(a) % divisor(b),
  addf: (args) => args.reduce<number>((sum, arg) => sum + toNumber(arg), 0),
  add1f: ([value]) => toNumber(value) + 1,
  subf: ([first, ...rest]) => rest.reduce<number>((left, arg) => left - toNumber(arg), toNumber(first)),
  mulf: (args) => args.reduce<number>((product, arg) => product * toNumber(arg), 1),
  divf: ([first, ...rest]) => rest.reduce<number>((left, arg) => left / (toNumber(arg) || 1), toNumber(first)),
  max: (args) => Math.max(...args.map(toInteger)),
  biggest: (args) => Math.max(...args.map(toInteger)),
  min: (args) => Math.min(...args.map(toInteger)),
  maxf: (args) => Math.max(...args.map(toNumber)),
  minf: (args) => Math.min(...args.map(toNumber)),
  floor: ([value]) => Math.floor(toNumber(value)),
  ceil: ([value]) => Math.ceil(toNumber(value)),
  round: ([value, digits]) => Number(toNumber(value).toFixed(Math.min(Math.max(toInteger(digits), 0), 20))),
  until: ([count]) => sequence(0, toInteger(count), Math.sign(toInteger(count)) || 1),
  untilStep: ([start, stop, step]) => sequence(toInteger(start), toInteger(stop), toInteger(step)),
  seq: (args) => seq(args.map(toInteger)).join(' '),
  semver: ([text]) => versionValue(versionOf(text)),
  semverCompare: ([constraint, text]) => {
    const met = satisfies(shortOf(constraint), versionOf(text));
    if (met === undefined) throw new TemplateError(`[${print(constraint)}] is no version constraint`);
    return met;
  },
};

function divisor(value: unknown): number {
  const number = toInteger(value);
  if (number === 0) throw new TemplateError('division by zero');
  return number;
}

function sequence(start: number, stop: number, step: number): readonly number[] {
  const list: number[] = [];
  if (step === 0 || Math.sign(stop - start) !== Math.sign(step)) return list;
  for (let at = start; step > 0 ? at < stop : at > stop; at += step) {
    if (list.length >= MAX_LIST) throw new TemplateError('a list of numbers is too long');
    list.push(at);
  }
  return list;
}

/** Like the shell's `seq`: `seq 3`, `seq 2 4`, `seq 0 2 10`. */
function seq([a = 0, b, c]: readonly number[]): readonly number[] {
  const [start, step, end] =
    c !== undefined ? [a, b ?? 1, c] : b !== undefined ? [a, b >= a ? 1 : -1, b] : [1, a >= 1 ? 1 : -1, a];
  return sequence(start, end + Math.sign(step), step);
}

function versionOf(value: unknown): Version {
  const text = shortOf(isDictionary(value) && typeof value.Original === 'function' ? value.Original() : value);
  const version = parseVersion(text);
  if (!version) throw new TemplateError(`[${text}] is no semantic version`);
  return version;
}

/** Longer than any version or constraint. */
const MAX_VERSION = 1000;

function shortOf(value: unknown): string {
  const text = print(value);
  if (text.length > MAX_VERSION) throw new TemplateError(`[${text.slice(0, 20)}…] is no semantic version`);
  return text;
}

function versionValue(version: Version): Dictionary {
  const plain = `${version.major}.${version.minor}.${version.patch}`;
  return dictionary([
    ['Major', version.major],
    ['Minor', version.minor],
    ['Patch', version.patch],
    ['Prerelease', version.prerelease],
    ['Metadata', version.build],
    ['Original', () => version.original],
    ['String', () => plain + (version.prerelease && `-${version.prerelease}`) + (version.build && `+${version.build}`)],
    ['Compare', (other: unknown) => Math.sign(compareVersions(version, versionOf(other)))],
  ]);
}
