// Command lines of containers: `--x-image=REF`, `["--image", "REF"]`, shell texts.
import type { Finding, ListedRule, ScannedDocument } from '../contract.ts';
import { maybe, used } from '../findings.ts';
import { imageKey } from '../key-names.ts';
import { pathOf } from '../path.ts';
import { imagesInText, namedImages, type TextImage } from '../text-images.ts';
import { UNTAGGED, whyNotRun } from '../verdict.ts';
import { mayMention, type Visit, visitsOf } from '../walk.ts';

const RULE = 'arguments';
/** Fields with command lines: of containers, and of cloud-init and Cluster API, which run them on a machine. */
const COMMAND_LINES: ReadonlySet<string> = new Set([
  'args',
  'command',
  'extraArgs',
  'additionalArgs',
  'arguments',
  'cmd',
  'runcmd',
  'bootcmd',
  'preKubeadmCommands',
  'postKubeadmCommands',
]);

export const commandLines: ListedRule = {
  name: RULE,
  clue: /image/i,
  sample: 'kind: Pod\nspec: {containers: [{name: a, args: [--image=alpine:3]}]}\n',
  matches: (document) => mayMention(document, /args|command|arguments|cmd/i),
  *find(document) {
    for (const visit of visitsOf(document)) {
      if (typeof visit.key !== 'string' || !COMMAND_LINES.has(visit.key)) continue;
      const words = Array.isArray(visit.value) ? visit.value : [visit.value];
      for (const index of words.keys()) yield* findInWord(document, { visit, words, index });
    }
  },
};

interface Word {
  readonly visit: Visit;
  readonly words: readonly unknown[];
  readonly index: number;
}

function* findInWord(document: ScannedDocument, { visit, words, index }: Word): Iterable<Finding> {
  const word = words[index];
  if (typeof word !== 'string') return;
  const path = Array.isArray(visit.value) ? [...pathOf(visit), index] : pathOf(visit);
  const notRun = whyNotRun(visit.object);
  const isScript = /\s/.test(word.trim());
  for (const { image, line, isCertain, isVersioned } of imagesInWord(word, words[index - 1])) {
    const found = { ...document, lineOf: () => document.lineInText(path, line) };
    const spot = { document: found, path, rule: RULE };
    if (isCertain && !notRun && isScript && !isVersioned) yield maybe(image, UNTAGGED, spot);
    else if (isCertain && !notRun) yield used(image, spot);
    else yield maybe(image, notRun ?? 'a word of a command line that reads like a reference', spot);
  }
}

function imagesInWord(word: string, before: unknown): Iterable<TextImage> {
  const isFlag = typeof before === 'string' && /^--?[a-zA-Z][\w-]*$/.test(before) && !word.startsWith('-');
  return isFlag && imageKey(before) === 'yes' ? namedImages({ name: before, value: word }) : imagesInText(word);
}
