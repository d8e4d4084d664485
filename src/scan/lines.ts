// What is left where a text does not parse as YAML (a template, a typing error): its lines. Finds less, and says so by its rule's name.
import type { Finding, Warning } from './contract.ts';
import { judgeImage } from './image-text.ts';
import { imageKey } from './key-names.ts';
import type { BrokenPart } from './yaml.ts';

const FIELD = /^\s*(?:-\s+)?["']?([\w.-]+)["']?\s*:\s*(.+?)\s*,?\s*$/;

/** The lines `image: REFERENCE` of a part that did not parse; one that holds a template or a variable is a warning. */
export function* imageLines(file: string, part: BrokenPart): Iterable<Finding | Warning> {
  for (const [index, text] of part.text.split('\n').entries()) {
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
    yield { image: judged.image, certainty: 'used', rule: 'lines', place: { file, line, path: '' } };
  }
}
