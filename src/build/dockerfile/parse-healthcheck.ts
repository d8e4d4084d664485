// Parses HEALTHCHECK: NONE, or CMD with its intervals.
import type { Instruction } from './instructions.ts';
import { flagsOf, type Request } from './request.ts';
import { mistake } from './source.ts';
import { jsonStrings } from './split.ts';

export function parseHealthcheck(request: Request): Instruction {
  const { statement, rest, written } = request;
  const [, type = '', gap = '', command = ''] = /^(\S*)(\s*)([\s\S]*)$/.exec(rest.text) ?? [];
  const at = rest.at + type.length + gap.length;
  if (type.toUpperCase() === 'NONE') {
    if (command !== '') throw mistake(statement, 'HEALTHCHECK NONE takes no arguments', { at, length: command.length });
    const none = { interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 };
    return { ...written, kind: 'healthcheck', health: { test: ['NONE'], ...none } };
  }
  const flags = flagsOf(request, {
    interval: 'text',
    timeout: 'text',
    'start-period': 'text',
    'start-interval': 'text',
    retries: 'text',
  });
  if (type.toUpperCase() !== 'CMD') {
    throw mistake(statement, `HEALTHCHECK takes CMD or NONE${type === '' ? '' : ` [${type}]`}`, {
      at: type === '' ? 0 : rest.at,
      ...(type !== '' && { word: type, candidates: ['CMD', 'NONE'] }),
    });
  }
  const args = jsonStrings(statement, { text: command, at });
  if (command === '' || args?.length === 0) {
    throw mistake(statement, 'HEALTHCHECK CMD needs a command', { at: rest.at });
  }
  const time = (name: string) => interval(request, name, flags.text(name));
  const health = {
    test: args ? ['CMD', ...args] : ['CMD-SHELL', command],
    interval: time('interval'),
    timeout: time('timeout'),
    startPeriod: time('start-period'),
    startInterval: time('start-interval'),
    retries: retries(request, flags.text('retries')),
  };
  return { ...written, kind: 'healthcheck', health };
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Parses a Go duration: `1h30m`, `1.5s`, `0`. Returns `undefined` if it is invalid. */
export function durationOf(text: string): number | undefined {
  const [, sign = '', rest = ''] = /^([-+]?)(.*)$/.exec(text) ?? [];
  if (rest === '0') return 0;
  const parts = [...rest.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== rest) return undefined;
  const sum = parts.reduce((total, [, number, unit]) => total + Number(number) * (UNITS[unit ?? ''] ?? 0), 0);
  return Math.round(sign === '-' ? -sum : sum);
}

function interval(request: Request, name: string, text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  const value = durationOf(text);
  const at = request.flags.find((flag) => flag.text.startsWith(`--${name}=`))?.at ?? 0;
  if (value === undefined) {
    throw mistake(request.statement, `not a time [--${name}=${text}]`, {
      at,
      hint: 'For example 30s, 1m30s or 500ms.',
    });
  }
  if (value !== 0 && value < 1e6) throw mistake(request.statement, `less than 1ms [--${name}=${text}]`, { at });
  return value;
}

function retries(request: Request, text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  if (/^\+?\d{1,9}$/.test(text)) return Number(text);
  const at = request.flags.find((flag) => flag.text.startsWith('--retries='))?.at ?? 0;
  throw mistake(request.statement, `not a number of retries [${text}]`, { at });
}
