// Searches line by line where a text does not parse as YAML (a template, a syntax error). Finds less; the rule's name tells that lines were read.
import type { Finding, Warning } from './contract.ts';
import { judgeImage } from './image-text.ts';
import { imageKey } from './key-names.ts';
import { imagesInText } from './text-images.ts';
import { type BrokenPart, TEMPLATE } from './yaml.ts';

const RULE = 'lines';
const FIELD = /^\s*(?:-\s+)?["']?([\w.-]+)["']?\s*:(.*)$/s;
/** Names of fields whose texts can look like references: addresses, charts, descriptions. */
const NOT_IMAGES = /url|uri|endpoint|address|host|server|link|chart|repo|registry|descr|comment|message|title|name$/i;

/** The text of the warning for a part that does not parse. */
export function brokenText({ reason }: BrokenPart): string {
  return `does not parse, read line by line: ${reason}`;
}

/** One warning for a file, even if several parts do not parse. Returns `undefined` if all of them are templates that do not mention an image. */
export function brokenFile(
  file: string,
  parts: readonly BrokenPart[],
  placeholders: readonly Warning[],
): Warning | undefined {
  const told = parts.filter(({ reason, text }) => reason !== TEMPLATE || /image/i.test(text));
  const [first] = told;
  if (first === undefined) return undefined;
  const more = told.length > 1 ? ` (${told.length} parts of it)` : '';
  const [one] = placeholders;
  const unknown = one ? `; ${placeholders.length} placeholders for images in it, in line ${one.line}: ${one.text}` : '';
  return { file, line: first.line, text: `${brokenText(first)}${more}${unknown}` };
}

/** Finds the lines `image: REFERENCE` and words that are images in a part that did not parse. Yields a warning for a template or a variable. */
export function* imageLines(file: string, part: BrokenPart): Iterable<Finding | Warning> {
  const lines = part.text.split('\n');
  for (const [index, text] of lines.entries()) {
    const field = fieldOf(text);
    const position = { file, line: part.firstLine + index, path: '' };
    if (field && imageKey(field.name) === 'yes') yield* imageField(field, { lines, index, position });
    else if (!NOT_IMAGES.test(field?.name ?? '')) yield* wordsOf(text, field?.name === 'value', position);
  }
}

interface Field {
  readonly name: string;
  readonly value: string;
}

/** Reads `name: value` and `"name": "value",`. Returns `undefined` if there is no value. */
function fieldOf(line: string): Field | undefined {
  const [, name, rest = ''] = FIELD.exec(line) ?? [];
  const value = rest.trim().replace(/,$/, '').trimEnd();
  return name === undefined || value === '' ? undefined : { name, value };
}

interface Spot {
  readonly lines: readonly string[];
  readonly index: number;
  readonly position: Finding['position'];
}

function* imageField(field: Field, { lines, index, position }: Spot): Iterable<Finding | Warning> {
  const value = field.value.replace(/\s#.*$/s, '').trimEnd();
  const judged = judgeImage(value);
  if (judged.kind === 'placeholder') {
    yield { file: position.file, line: position.line, text: `the image is a placeholder [${value}]` };
  }
  // `auto` is replaced by Istio's injector.
  if (judged.kind !== 'image' || judged.image === 'auto') return;
  const { host, path, tag, digest } = judged.reference;
  const isVersioned = tag !== undefined || digest !== undefined;
  const isBare = host === undefined && !path.includes('/') && !isVersioned;
  if (isBare && (field.name !== 'image' || lines.slice(Math.max(0, index - 3), index + 4).some(isOtherPart))) return;
  const found = { image: judged.image, rule: RULE, position };
  const isWhole = isVersioned || !lines.slice(index + 1, index + 4).some(isTag);
  if (isWhole) yield { ...found, certainty: 'used' };
  else yield { ...found, certainty: 'maybe', reason: 'a tag stands near it' };
}

/** Finds `--x-image=REF`, the value of a variable, and words that can only be an image. */
function* wordsOf(text: string, isValue: boolean, position: Finding['position']): Iterable<Finding> {
  if (/^\s*(?:#|\/\/)/.test(text) || !/[/:@]/.test(text)) return;
  for (const { image, isNamed, isCertain } of imagesInText(text)) {
    if (!isCertain || !/[:@][^/]/.test(image.slice(image.lastIndexOf('/') + 1))) continue;
    const found = { image, rule: RULE, position };
    if (isNamed || isValue) yield { ...found, certainty: 'used' };
    else yield { ...found, certainty: 'maybe', reason: 'a word of a text that reads like a reference' };
  }
}

function isTag(line: string): boolean {
  return /^\s*(?:\w*[tT]ag|version):/.test(line);
}

/** Whether the line gives another part of the image's name. */
function isOtherPart(line: string): boolean {
  return /^\s*(?:\w*[rR]epository|\w*[rR]egistry|hub):/.test(line);
}
