// Parses COPY and ADD: flags, sources, heredocs, destination.
import { withoutEnd } from '../../io/text/trim-end.ts';
import { decodeName } from '../../tar/names.ts';
import type { Flags } from './flags.ts';
import { parseHeredoc } from './heredoc.ts';
import type { Add, Files, Instruction, Word } from './instructions.ts';
import { flagsOf, type Request } from './request.ts';
import { mistake } from './source.ts';
import { jsonStrings, plainWords } from './split.ts';

export function parseCopy(request: Request): Instruction {
  const flags = flagsOf(request, {
    from: 'text',
    chown: 'text',
    chmod: 'text',
    link: 'switch',
    parents: 'switch',
    exclude: 'texts',
  });
  const files = filesOf(request, flags);
  // BuildKit treats an empty value as absent.
  const from = flags.text('from') || undefined;
  if (from !== undefined && /\$(?:\{|\w)/.test(from)) {
    const at = request.flags.find(({ text }) => text.startsWith('--from'))?.at ?? 0;
    throw mistake(request.statement, `no variables in --from [${from}]`, {
      at,
      hint: 'Give the image a name with FROM … AS name, where variables are expanded, and copy from that name.',
    });
  }
  const remote = files.sources.find(({ text }) => /^https?:\/\/|^git(?:@|:\/\/)|^ssh:\/\//.test(text));
  if (remote) {
    throw mistake(request.statement, `COPY takes no address [${remote.text}]`, { at: remote.at, hint: 'ADD does.' });
  }
  return { ...request.written, ...files, kind: 'copy', from, parents: flags.switch('parents') ?? false };
}

export function parseAdd(request: Request): Instruction {
  const flags = flagsOf(request, {
    chown: 'text',
    chmod: 'text',
    link: 'switch',
    checksum: 'text',
    'keep-git-dir': 'switch',
    unpack: 'switch',
    exclude: 'texts',
  });
  const files = filesOf(request, flags);
  const checksum = flags.text('checksum') || undefined;
  if (checksum !== undefined && (files.sources.length !== 1 || !isUrl(files.sources[0]?.text ?? ''))) {
    const at = request.flags.find(({ text }) => text.startsWith('--checksum'))?.at ?? 0;
    throw mistake(request.statement, '--checksum is for one http or https address', { at });
  }
  const keepsGit = flags.switch('keep-git-dir') !== undefined;
  return { ...request.written, ...files, kind: 'add', checksum, unpack: flags.switch('unpack'), keepsGit };
}

export function isUrl(source: string): boolean {
  return /^https?:\/\//.test(source);
}

/** Refuses git sources. Called on evaluation, because in a stage that is not built they do no harm. `source` is the word after expansion. Errors: DOCKERFILE_INVALID. */
export function refuseGit(
  { statement, sources, keepsGit }: Add,
  expanded: (word: string) => string = (word) => word,
): void {
  const found = sources.find(({ text }) => isGit(expanded(text)));
  if (!found && !keepsGit) return;
  const flag = statement.text.indexOf('--keep-git-dir');
  throw mistake(statement, `ADD from a git repository is not supported${found ? ` [${expanded(found.text)}]` : ''}`, {
    at: found?.at ?? Math.max(flag, 0),
    ...(found && { length: found.text.length }),
    hint: 'Let the `tar` script clone it, or ADD an archive of it by its address.',
  });
}

/** The name of a downloaded file: the last component of the URL's path, percent-decoded before splitting, as in BuildKit. */
export function nameOfUrl(url: string): string {
  const [, path = ''] = /^https?:\/\/[^/?#]*([^?#]*)/.exec(url) ?? [];
  const name =
    withoutEnd(decoded(path) ?? '', '/')
      .split('/')
      .at(-1) ?? '';
  return /^\.{0,2}$|\0/.test(name) ? '__unnamed__' : name;
}

/** Percent-decodes a path. Bytes that are no UTF-8 are preserved. Returns `undefined` if a `%` is not followed by two hexadecimal digits. */
function decoded(path: string): string | undefined {
  if (/%(?![0-9a-f]{2})/i.test(path)) return undefined;
  const bytes = Buffer.from(path).toString('latin1');
  const plain = bytes.replaceAll(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return decodeName(Buffer.from(plain, 'latin1'));
}

function isGit(source: string): boolean {
  if (/^(?:git@[^/]+:|git:\/\/|ssh:\/\/)/.test(source)) return true;
  return isUrl(source) && /\.git(?:[#?]|$)/.test(source);
}

function filesOf(request: Request, flags: Flags): Files {
  const { statement, rest, heredocs, written } = request;
  const json = jsonStrings(statement, rest);
  const words: readonly Word[] = json ? json.map((text) => ({ text, at: rest.at })) : plainWords(rest);
  const destination = words.at(-1);
  if (!destination || words.length < 2) {
    throw mistake(statement, `${written.name} needs a source and a destination`, {
      ...(rest.text !== '' && { at: rest.at, length: rest.text.length }),
      hint: `Write ${written.name} source destination`,
    });
  }
  if (!json && parseHeredoc(destination.text)) {
    throw mistake(statement, 'a heredoc is no destination', { at: destination.at, length: destination.text.length });
  }
  const sources = words.slice(0, -1).filter(({ text }) => json !== undefined || !parseHeredoc(text));
  return {
    sources,
    heredocs: json ? [] : heredocs,
    destination,
    chown: flags.text('chown'),
    chmod: flags.text('chmod'),
    link: flags.switch('link') ?? false,
    exclude: flags.texts('exclude'),
  };
}
