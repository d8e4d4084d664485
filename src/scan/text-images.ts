// References inside free text: shell lines, flags, `NAME=value` lists. Relies on key-names.ts for the meaning of names and on verdict.ts.
import { judgeImageWithCare } from './image-text.ts';
import { imageKey } from './key-names.ts';
import { isSurelyImage, isVersioned, readsLikeImage } from './verdict.ts';

export interface TextImage {
  readonly image: string;
  /** Counted from 1, within the text. */
  readonly line: number;
  /** A flag or name says that it is an image, or the text cannot be anything else. */
  readonly isCertain: boolean;
  /** A flag or name says that it is an image. */
  readonly isNamed: boolean;
  /** It has a tag or a digest. */
  readonly isVersioned: boolean;
}

interface Token {
  readonly text: string;
  readonly line: number;
}

/** The images in the words of a text: `--x-image=REF`, `--x-image REF`, `X_IMAGE=REF`, and texts that can only be a reference. */
export function* imagesInText(text: string): Iterable<TextImage> {
  const tokens = tokensOf(text);
  for (const [index, { text: token, line }] of tokens.entries()) {
    const named = nameAndValue(token);
    if (named) {
      yield* namedImages(named, line);
      continue;
    }
    const before = tokens[index - 1]?.text ?? '';
    if (isImageFlag(before) || isImageField(before)) yield* namedImages({ name: before, value: token }, line);
    else if (!token.startsWith('-')) yield* namedImages({ name: '', value: token }, line);
  }
}

/** The images in one value with a known name (a variable, a flag). The value may be a list: `a,b`, `3.4=quay.io/x:1`. */
export function* namedImages(
  { name, value }: { readonly name: string; readonly value: string },
  line = 1,
): Iterable<TextImage> {
  const key = imageKey(name);
  for (const part of value.split(/[,;]/)) {
    const judged = judgeImageWithCare(part.slice(part.lastIndexOf('=') + 1));
    if (judged.kind !== 'image') continue;
    const { reference, image } = judged;
    const hasPath = reference.host !== undefined || reference.path.includes('/');
    const hasVersion = isVersioned(reference);
    const isBareFlag = /^--?(?:[\w-]+-)?image$/.test(name) && !/^(?:true|false|auto|none|\d+)$/.test(image);
    const isNamed =
      isBareFlag || (key === 'yes' && (hasPath || hasVersion)) || (key === 'perhaps' && hasPath && hasVersion);
    const found = { image, line, isNamed, isVersioned: hasVersion };
    if (isSurelyImage(reference)) yield { ...found, isCertain: true };
    else if (isNamed) yield { ...found, isCertain: !isBase(name) || hasVersion };
    else if (readsLikeImage(reference) && /^v?\d|^latest$/.test(reference.tag ?? '0'))
      yield { ...found, isCertain: false };
  }
}

/** Whether the flag gives a name to which the program adds the version: `--prometheus-default-base-image=quay.io/prometheus/prometheus`. */
function isBase(name: string): boolean {
  return /base[-_]?image/i.test(name);
}

function isImageFlag(token: string): boolean {
  return /^--?[a-zA-Z]/.test(token) && imageKey(token) === 'yes';
}

/** Whether the token is `image:`, in text that is not valid YAML. */
function isImageField(token: string): boolean {
  return token.endsWith(':') && imageKey(token) === 'yes';
}

/** Splits `--flag=value` and `NAME=value`. */
function nameAndValue(token: string): { readonly name: string; readonly value: string } | undefined {
  const match = /^(-{0,2}[A-Za-z][\w.-]*)=(.*)$/s.exec(token);
  return match ? { name: match[1] as string, value: match[2] as string } : undefined;
}

/** `<image>REF</image>`, as in Jenkins pod templates. */
const XML_IMAGE = /<(\w{0,40}[iI]mage\w{0,40})>\s*([^<>\s]{1,1000})\s*<\/\1>/g;

/** Splits a text into words, roughly like a shell. Comments are dropped, quotes end a word, and `a = "b"` (TOML) becomes `a=b`. */
function tokensOf(text: string): Token[] {
  return text.split('\n').flatMap((content, index) =>
    content
      .replace(/(^|\s)#.*$/s, '$1')
      .replace(XML_IMAGE, ' $1=$2 ')
      .replace(/([\w-])\s+=\s+/g, '$1=')
      .replace(/=["'`]/g, '=')
      .split(/[\s"'`|()[\]]+/)
      .filter((token) => token !== '')
      .map((token) => ({ text: token, line: index + 1 })),
  );
}
