// Environment variables, and parameters of templates and tasks: entries `{name, value}` whose name or value indicates an image.
import type { Finding, ListedRule, ScannedDocument, Warning } from '../contract.ts';
import { asFields, type Fields, fieldOf, textOf } from '../fields.ts';
import { maybe, unresolved, used } from '../findings.ts';
import { judgeImageWithCare } from '../image-text.ts';
import { imageKey } from '../key-names.ts';
import { pathOf } from '../path.ts';
import { imagesInText, namedImages } from '../text-images.ts';
import { isSetting, UNTAGGED, whyNotRun } from '../verdict.ts';
import { mayMention, type Visit, visitsOf } from '../walk.ts';

const RULE = 'environment';
/** The fields with the value of an entry: `value` in `env` and parameters, `default` in Tekton's parameters. */
const VALUES: readonly string[] = ['value', 'default'];
const MAX_LITERAL = 1000;

export const environment: ListedRule = {
  name: RULE,
  clue: /image/i,
  sample: 'kind: Pod\nspec: {containers: [{name: a, env: [{name: AGENT_IMAGE, value: agent:1.2}]}]}\n',
  matches: (document) => mayMention(document, /\bname\b/),
  *find(document) {
    for (const visit of visitsOf(document)) {
      if (!Array.isArray(visit.value)) continue;
      const literals = literalsOf(visit.value);
      for (const [index, entry] of visit.value.entries()) {
        const fields = asFields(entry);
        if (fields && typeof fieldOf(fields, 'name') === 'string')
          yield* findInEntry(document, { visit, index, fields, literals });
      }
    }
  },
};

interface Entry {
  readonly visit: Visit;
  readonly index: number;
  readonly fields: Fields;
  readonly literals: Literals;
}

function* findInEntry(
  document: ScannedDocument,
  { visit, index, fields, literals }: Entry,
): Iterable<Finding | Warning> {
  const name = textOf(fields, 'name') ?? '';
  for (const field of VALUES) {
    const written = textOf(fields, field);
    if (written === undefined || written === '' || written.includes('{{')) continue;
    const value = expanded(written, literals);
    const spot = { document, path: [...pathOf(visit), index, field], rule: RULE };
    if (
      visit.key === 'env' &&
      imageKey(name) === 'yes' &&
      judgeImageWithCare(value).kind === 'placeholder' &&
      value.includes('/')
    )
      yield unresolved(value, 'the image is a placeholder', spot);
    const notRun = whyNotRun(visit.object) ?? whyParameter(name, visit);
    const whole = withTagBeside(name, value, literals);
    for (const { image, isCertain, isVersioned } of imagesInValue(name, whole)) {
      const doubt = notRun ?? (!isVersioned && isSetting(document, visit.object) ? UNTAGGED : undefined);
      if (isCertain && doubt === undefined) yield used(image, spot);
      else yield maybe(image, doubt ?? 'the program that reads it may add to it', spot);
    }
    if (imageKey(name) === 'yes') yield* bareName(value, spot);
  }
}

/** A parameter `IMAGE` of a task is the image to build about as often as the image to run. */
function whyParameter(name: string, { key, object }: Visit): string | undefined {
  const isOutput = key === 'params' && object?.group === 'tekton.dev' && name.toLowerCase() === 'image';
  return isOutput ? 'a parameter: the task may run it or make it' : undefined;
}

function imagesInValue(name: string, value: string): ReturnType<typeof namedImages> {
  if (!/\s/.test(value.trim())) return namedImages({ name, value });
  // A list with white space: the name applies to each word.
  return imageKey(name) === 'no'
    ? imagesInText(value)
    : namedImages({ name, value: value.trim().replace(/\s+/g, ',') });
}

function* bareName(value: string, spot: Parameters<typeof used>[1]): Iterable<Finding> {
  const judged = judgeImageWithCare(value);
  if (judged.kind !== 'image') return;
  const { host, path, tag, digest } = judged.reference;
  if (
    host === undefined &&
    !path.includes('/') &&
    tag === undefined &&
    digest === undefined &&
    !/^(?:true|false|\d+)$/.test(path)
  ) {
    yield maybe(judged.image, 'a bare name can mean something else here', spot);
  }
}

/** Substitutes references to other variables of the list, as Kubernetes does: `quay.io/a/b:$(VERSION)`. Unknown references stay. */
function expanded(value: string, literals: Literals): string {
  if (!value.includes('$(')) return value;
  return value.replace(/\$\(([A-Za-z_]\w*)\)/g, (written, name: string) => literals().get(name) ?? written);
}

/** Adds the tag from another variable: `X_IMAGE` with `X_IMAGE_TAG`, or `X_IMAGE_REPOSITORY` with `X_IMAGE_TAG` or `X_VERSION`. */
function withTagBeside(name: string, value: string, literals: Literals): string {
  const judged = judgeImageWithCare(value);
  if (judged.kind !== 'image' || judged.reference.tag || judged.reference.digest) return value;
  const [, stem, part = '', rest] = /^(.*?)_?(IMAGE)?(_NAME|_REPO|_REPOSITORY)?$/.exec(name) ?? [];
  if (stem === undefined || (part === '' && rest === undefined)) return value;
  const whole = [stem, part].filter(Boolean).join('_');
  // Only with these endings: beside a complete `X_IMAGE`, a variable `X_IMAGE_VERSION` gives the operator's own version.
  const more = rest ? [`${whole}_VERSION`, `${stem}_TAG`, `${stem}_VERSION`] : [];
  const names = [`${whole}_TAG`, ...more];
  const tag = names.map((other) => literals().get(other)).find((text) => text !== undefined);
  return tag === undefined ? value : `${value}:${tag}`;
}

/** The values of a list's entries by name. The first entry with a name counts. Empty values, and values with references to other variables, are left out. */
type Literals = () => ReadonlyMap<string, string>;

/** Computed on first use, since few lists are asked. */
function literalsOf(entries: readonly unknown[]): Literals {
  let literals: ReadonlyMap<string, string> | undefined;
  return () => {
    literals ??= readLiterals(entries);
    return literals;
  };
}

function readLiterals(entries: readonly unknown[]): ReadonlyMap<string, string> {
  const literals = new Map<string, string>();
  for (const entry of entries.toReversed()) {
    const name = textOf(entry, 'name');
    const value = textOf(entry, 'value');
    if (name === undefined) continue;
    // A longer value is not part of a reference, and it could be substituted a thousand times.
    if (value === undefined || value === '' || value.length > MAX_LITERAL || value.includes('$')) literals.delete(name);
    else literals.set(name, value);
  }
  return literals;
}
