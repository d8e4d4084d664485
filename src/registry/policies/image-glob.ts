// Patterns for images, `REPOSITORY[:TAG]`: `*` stands for any characters but `/`, `**` for any, `?` for one. Without a tag all tags are meant.
import { spellings } from './name-lookup.ts';

export interface ImageGlob {
  readonly repository: string;
  readonly tag: string;
}

/** Returns `undefined` for a text that no image can match. */
export function parseImageGlob(text: string): ImageGlob | undefined {
  const [, repository, tag = '*'] = /^([^:]+)(?::([\w.*?-]{1,128}))?$/.exec(text) ?? [];
  return repository === undefined || !isRepositoryPattern(repository) ? undefined : { repository, tag };
}

/** Whether some repository can match: `team/**`, not `/team/**`, `team/` or `../x`. */
export function isRepositoryPattern(text: string): boolean {
  return text.split('/').every((part) => /^[a-z0-9._*?-]+$/.test(part) && /[a-z0-9*?]/.test(part));
}

/** `alpine` and `library/alpine` are the same repository. */
export function matchesImage(glob: ImageGlob, repository: string, tag: string): boolean {
  return matchesGlob(glob.tag, tag) && spellings(repository).some((name) => matchesGlob(glob.repository, name));
}

/** Negative if `a` is more specific: it has more characters that are no wildcard, first in the repository, then in the tag; or as many, and fewer wildcards. */
export function bySpecificity(a: ImageGlob, b: ImageGlob): number {
  return (
    literals(b.repository) - literals(a.repository) ||
    a.repository.length - b.repository.length ||
    literals(b.tag) - literals(a.tag) ||
    a.tag.length - b.tag.length
  );
}

function literals(glob: string): number {
  return glob.replace(/[*?]/g, '').length;
}

/** Takes time in proportion to the product of both lengths, whatever the pattern is. */
export function matchesGlob(glob: string, text: string): boolean {
  const first = glob.search(/[*?]/);
  if (first < 0) return glob === text;
  return text.startsWith(glob.slice(0, first)) && matchesSteps(glob.slice(first), text.slice(first));
}

function matchesSteps(glob: string, text: string): boolean {
  const steps = [...glob.matchAll(/\*\*|./gs)].map(([step]) => step);
  let reached = skipping(steps, new Set([0]));
  for (const character of text) {
    const next = new Set<number>();
    for (const at of reached) {
      const step = steps[at];
      if (step === '**' || (step === '*' && character !== '/')) next.add(at);
      else if (step === character || (step === '?' && character !== '/')) next.add(at + 1);
    }
    if (next.size === 0) return false;
    reached = skipping(steps, next);
  }
  return reached.has(steps.length);
}

/** Stars may stand for nothing. */
function skipping(steps: readonly string[], reached: Set<number>): Set<number> {
  for (const at of reached) if (steps[at]?.startsWith('*')) reached.add(at + 1);
  return reached;
}
