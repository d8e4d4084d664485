// What is left where a text does not parse as YAML (a template, a typing error): its lines. Finds less, and says so by its rule's name.
import type { Finding, Warning } from './contract.ts';
import { judgeImage } from './image-text.ts';
import { imageKey } from './key-names.ts';
import type { BrokenPart } from './yaml.ts';

const FIELD = /^\s*(?:-\s+)?["']?([\w.-]+)["']?\s*:\s*(.+?)\s*,?\s*$/;

/** The lines `image: REFERENCE` of a part that did not parse; one that holds a template or a variable is a warning. */
export function* imageLines(file: string, part: BrokenPart): Iterable<Finding | Warning> {
  const lines = part.text.split('\n');
  for (const [index, text] of lines.entries()) {
    const field = FIELD.exec(text);
    if (!field || imageKey(field[1] ?? '') !== 'yes') continue;
    const value = (field[2] ?? '').replace(/\s+#.*$/, '');
    const line = part.firstLine + index;
    const judged = judgeImage(value);
    if (judged.kind === 'placeholder') yield { file, line, text: `the image is a placeholder [${value}]` };
    if (judged.kind !== 'image') continue;
    const { host, path, tag, digest } = judged.reference;
    const isBare = host === undefined && !path.includes('/') && tag === undefined && digest === undefined;
    if (isBare && field[1] !== 'image') continue;
    const found = { image: judged.image, rule: 'lines', place: { file, line, path: '' } };
    const isWhole = tag !== undefined || digest !== undefined || !lines.slice(index + 1, index + 4).some(isTag);
    if (isWhole) yield { ...found, certainty: 'used' };
    else yield { ...found, certainty: 'maybe', reason: 'a tag stands near it' };
  }
}

function isTag(line: string): boolean {
  return /^\s*(?:\w*[tT]ag|version):/.test(line);
}
