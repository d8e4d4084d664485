// What is left where a text does not parse as YAML (a template, a typing error): its lines. Finds less, and says so by its rule's name.
import type { Finding } from './contract.ts';
import { judgeImage } from './image-text.ts';
import type { BrokenPart } from './yaml.ts';

const IMAGE_LINE = /^\s*(?:-\s+)?["']?image["']?\s*:\s*(["']?)([^\s"'#]+)\1\s*,?\s*(?:#.*)?$/;

/** The lines `image: REFERENCE` of a part that did not parse; whatever holds a template or a variable is left out. */
export function* imageLines(file: string, part: BrokenPart): Iterable<Finding> {
  for (const [index, text] of part.text.split('\n').entries()) {
    const judged = judgeImage(IMAGE_LINE.exec(text)?.[2]);
    const place = { file, line: part.firstLine + index, path: '' };
    if (judged.kind === 'image') yield { image: judged.image, certainty: 'used', rule: 'lines', place };
  }
}
