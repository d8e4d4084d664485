// Parsers for the instructions, except COPY, ADD and HEALTHCHECK, which have their own files.
import type { CommandLine, Instruction, Network, Pair, Word, WrittenInstruction } from './instructions.ts';
import { checkMount } from './mounts.ts';
import { parseAdd, parseCopy } from './parse-files.ts';
import { parseHealthcheck } from './parse-healthcheck.ts';
import { flagsOf, type Request } from './request.ts';
import { mistake } from './source.ts';
import { jsonStrings, plainWords, quotedWords } from './split.ts';

export const parsers: Readonly<Record<string, (request: Request) => Instruction>> = {
  ADD: parseAdd,
  ARG: parseArg,
  CMD: (request) => ({ ...noFlags(request), kind: 'cmd', command: commandLine(request) }),
  COPY: parseCopy,
  ENTRYPOINT: (request) => ({ ...noFlags(request), kind: 'entrypoint', command: commandLine(request) }),
  ENV: (request) => ({ ...noFlags(request), kind: 'env', pairs: pairs(request) }),
  EXPOSE: (request) => ({ ...noFlags(request), kind: 'expose', ports: plainWords(some(request)).map(textOf).sort() }),
  FROM: parseFrom,
  HEALTHCHECK: parseHealthcheck,
  LABEL: (request) => ({ ...noFlags(request), kind: 'label', pairs: pairs(request) }),
  MAINTAINER: (request) => {
    request.warn(
      'MaintainerDeprecated',
      'MAINTAINER is out of date: LABEL org.opencontainers.image.authors=… says the same',
    );
    return { ...noFlags(request), kind: 'maintainer', value: some(request).text };
  },
  ONBUILD: parseOnbuild,
  RUN: parseRun,
  SHELL: parseShell,
  STOPSIGNAL: (request) => ({ ...noFlags(request), kind: 'stopsignal', value: some(request).text }),
  USER: (request) => ({ ...noFlags(request), kind: 'user', value: some(request).text }),
  VOLUME: parseVolume,
  WORKDIR: (request) => ({ ...noFlags(request), kind: 'workdir', value: some(request).text }),
};

function noFlags(request: Request): WrittenInstruction {
  flagsOf(request, {});
  return request.written;
}

/** The text after the keyword. Errors: DOCKERFILE_INVALID (it is empty). */
function some({ statement, rest, written }: Request, what = 'an argument'): Word {
  if (rest.text !== '') return rest;
  throw mistake(statement, `${written.name} needs ${what}`, { length: statement.text.trimEnd().length });
}

function textOf({ text }: Word): string {
  return text;
}

function commandLine(request: Request): CommandLine {
  const rest = some(request, 'a command');
  const args = jsonStrings(request.statement, rest);
  if (args) return { form: 'exec', args };
  if (rest.text.startsWith('[') && /^\[\s*['"]/.test(rest.text)) {
    request.warn('InvalidJSONForm', `what looks like JSON is none, so a shell gets it: ${rest.text}`);
  }
  return { form: 'shell', text: rest.text };
}

function pairs(request: Request): readonly Pair[] {
  const { statement, escapeToken, written } = request;
  const rest = some(request);
  const words = quotedWords(rest, escapeToken);
  if (!words[0]?.text.includes('=')) {
    const [, name = '', value] = /^(\S+)(?:[\t\v\f\r ]+([\s\S]*))?$/.exec(rest.text) ?? [];
    if (value === undefined) {
      throw mistake(statement, `${written.name} needs a value [${name}]`, {
        at: rest.at,
        hint: `Write ${written.name} ${name}=…`,
      });
    }
    request.warn(
      'LegacyKeyValueFormat',
      `${written.name} ${name}=… is the form to write: this one takes the rest of the line`,
    );
    return [{ name, value, isOldForm: true }];
  }
  return words.map(({ text, at }) => {
    const equals = text.indexOf('=');
    if (equals < 0) {
      throw mistake(statement, `no = in [${text}]`, {
        at,
        length: text.length,
        hint: `Write ${written.name} name=value …; a value with blanks stands in quotes.`,
      });
    }
    if (equals === 0) throw mistake(statement, `a value without a name [${text}]`, { at, length: text.length });
    return { name: text.slice(0, equals), value: text.slice(equals + 1), isOldForm: false };
  });
}

function parseArg(request: Request): Instruction {
  const written = noFlags(request);
  const args = quotedWords(some(request), request.escapeToken).map(({ text, at }) => {
    const equals = text.indexOf('=');
    if (equals === 0) throw mistake(request.statement, `a value without a name [${text}]`, { at, length: text.length });
    return equals < 0
      ? { name: text, value: undefined }
      : { name: text.slice(0, equals), value: text.slice(equals + 1) };
  });
  return { ...written, kind: 'arg', args };
}

const STAGE_NAME = /^[a-z][a-z0-9-_.]*$/;

function parseFrom(request: Request): Instruction {
  const { statement, written } = request;
  // BuildKit treats an empty value as absent.
  const platform = flagsOf(request, { platform: 'text' }).text('platform') || undefined;
  const words = plainWords(some(request, 'an image'));
  const [base, as, stage] = words;
  if (!base) throw mistake(statement, 'FROM needs an image');
  if (words.length === 1) return { ...written, kind: 'from', base, platform, stage: undefined };
  if (words.length !== 3 || !as || !stage) {
    const { at } = (words[3] ?? as) as Word;
    throw mistake(statement, 'FROM takes an image, and AS with a name for the stage', {
      at,
      hint: 'Write FROM image AS name',
    });
  }
  if (as.text.toUpperCase() !== 'AS') {
    throw mistake(statement, `AS is what can follow the image [${as.text}]`, {
      at: as.at,
      word: as.text,
      candidates: ['AS'],
    });
  }
  const name = stage.text.toLowerCase();
  if (!STAGE_NAME.test(name)) {
    throw mistake(statement, `not a name for a stage [${stage.text}]`, {
      at: stage.at,
      hint: 'It begins with a letter and holds letters, digits, - _ and .',
    });
  }
  return { ...written, kind: 'from', base, platform, stage: name };
}

const NETWORKS: readonly string[] = ['default', 'none', 'host'] satisfies readonly Network[];

function parseRun(request: Request): Instruction {
  const { statement, written, heredocs, flags } = request;
  const read = flagsOf(request, { mount: 'texts', network: 'text', security: 'text', device: 'texts' });
  for (const name of ['security', 'device']) {
    const flag = flags.find(({ text }) => text.startsWith(`--${name}`));
    if (flag && read.texts(name)[0] !== 'sandbox') {
      throw mistake(statement, `RUN --${name} is not there without a daemon`, {
        at: flag.at,
        hint: 'Leave it out, or build this image with BuildKit.',
      });
    }
  }
  const network = read.text('network') ?? 'default';
  if (!isNetwork(network)) {
    const at = flags.find(({ text }) => text.startsWith('--network'))?.at ?? 0;
    throw mistake(statement, `unknown network [${network}]`, {
      at,
      word: network,
      candidates: NETWORKS,
      length: 10 + network.length,
    });
  }
  const mounts = read.texts('mount');
  for (const flag of flags.filter(({ text }) => text.startsWith('--mount='))) checkMount(statement, flag);
  return { ...written, kind: 'run', command: commandLine(request), heredocs, mounts, network };
}

function isNetwork(text: string): text is Network {
  return NETWORKS.includes(text);
}

function parseShell(request: Request): Instruction {
  const { statement } = request;
  const written = noFlags(request);
  const rest = some(request);
  const shell = jsonStrings(statement, rest);
  if (shell && shell.length > 0) return { ...written, kind: 'shell', shell };
  throw mistake(statement, 'SHELL takes the JSON form', {
    at: rest.at,
    length: rest.text.length,
    hint: 'For example SHELL ["/bin/bash", "-c"]',
  });
}

function parseVolume(request: Request): Instruction {
  const { statement } = request;
  const written = noFlags(request);
  const rest = some(request);
  const volumes = (jsonStrings(statement, rest) ?? plainWords(rest).map(textOf)).map((volume) => volume.trim());
  if (volumes.length > 0 && !volumes.includes('')) return { ...written, kind: 'volume', volumes };
  throw mistake(statement, 'a volume without a path', { at: rest.at, length: rest.text.length });
}

function parseOnbuild(request: Request): Instruction {
  const { statement, heredocs, parseInner } = request;
  const written = noFlags(request);
  const rest = some(request, 'an instruction');
  const word = /^\S+/.exec(rest.text)?.[0] ?? '';
  if (/^(?:ONBUILD|FROM|MAINTAINER)$/i.test(word)) {
    throw mistake(statement, `ONBUILD cannot have ${word.toUpperCase()} as its trigger`, { at: rest.at });
  }
  // Offsets of the inner statement are made relative to its own text, so that its positions in the file stay correct.
  const segments = statement.segments.map((segment) => ({ ...segment, at: segment.at - rest.at }));
  const first = segments.findLastIndex(({ at }) => at <= 0);
  const trigger = parseInner({ text: rest.text, segments: segments.slice(Math.max(first, 0)) });
  const text = [rest.text, ...heredocs.map(({ content, name }) => `\n${content}${name}`)].join('');
  return { ...written, kind: 'onbuild', text, trigger };
}
