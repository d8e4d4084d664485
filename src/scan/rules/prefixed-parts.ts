// References whose parts share a prefix: `web_image_repo` and `web_image_tag`, `webImageRepository` and `webImageTag`.
// Ansible's variables have this form, and refer to each other: `{{ quay_image_repo }}/calico/node`.
import { tryParseReference } from '../../oci/reference.ts';
import type { Finding, ListedRule, ScannedDocument, Warning } from '../contract.ts';
import { asFields, type Fields, scalarOf } from '../fields.ts';
import { maybe, unresolved, used } from '../findings.ts';
import { joinParts } from '../join-parts.ts';
import { pathOf } from '../path.ts';
import { verdictOn } from '../verdict.ts';
import { mayMention, type Visit, visitsOf } from '../walk.ts';

const RULE = 'prefixed-parts';
const REPOSITORY = /^(.+image)(?:repo|repository)$/;
/** A repository that is only a host. The names of its images are given elsewhere. */
const HOST_ALONE = /^[\w-]+(?:\.[\w-]+)+(?::\d+)?$/;
/** Variables nested deeper than this are taken for a circle. */
const MAX_DEPTH = 10;
/** Maximum number of unresolved names in one warning. */
const MAX_NAMED = 5;

export const prefixedParts: ListedRule = {
  name: RULE,
  clue: /image/i,
  sample: 'web_image_repo: quay.io/a/web\nweb_image_tag: v1\n',
  matches: (document) => mayMention(document, /image[_-]?repo/i),
  *find(document) {
    for (const visit of visitsOf(document)) {
      const fields = asFields(visit.value);
      if (fields) yield* findIn(document, visit, fields);
    }
  },
};

function* findIn(document: ScannedDocument, visit: Visit, fields: Fields): Iterable<Finding | Warning> {
  const keys = new Map(Object.keys(fields).map((key) => [bare(key), key]));
  const unknown: string[] = [];
  for (const [name, key] of keys) {
    const stem = REPOSITORY.exec(name)?.[1];
    if (stem === undefined) continue;
    const texts = partsOf(fields, keys, { stem, key });
    // A repository without a version is a prefix of others: `quay_image_repo`.
    if (texts === undefined) continue;
    const parts = filledIn(texts, document);
    const joined = parts && joinParts(parts);
    const reference = joined && tryParseReference(joined.image);
    if (reference && HOST_ALONE.test(parts.repository ?? '')) continue;
    if (!reference) {
      unknown.push(key);
      continue;
    }
    const spot = { document, path: [...pathOf(visit), key], rule: RULE };
    const verdict = verdictOn(reference, { document, object: visit.object, key: 'yes' });
    if (verdict?.certainty === 'used') yield used(joined.image, spot);
    else if (verdict) yield maybe(joined.image, verdict.reason, spot);
  }
  const [first] = unknown;
  if (first === undefined) return;
  const names = `${unknown.slice(0, MAX_NAMED).join(', ')}${unknown.length > MAX_NAMED ? ', …' : ''}`;
  const why = `${unknown.length} images are put together when a play or a template runs`;
  yield unresolved(names, why, { document, path: [...pathOf(visit), first], rule: RULE });
}

type Texts = { readonly [part in 'registry' | 'repository' | 'tag' | 'digest']?: string };

/** Returns `undefined` if no field gives the version. */
function partsOf(
  fields: Fields,
  keys: ReadonlyMap<string, string>,
  { stem, key }: { readonly stem: string; readonly key: string },
): Texts | undefined {
  const text = (...ends: readonly string[]): string | undefined => {
    const found = ends.map((end) => scalarOf(fields, keys.get(stem + end) ?? '')?.trim());
    return found.find((one) => one !== undefined && one !== '');
  };
  const repository = scalarOf(fields, key)?.trim();
  const tag = text('tag', 'version');
  const digest = text('digest');
  if (!repository || (tag === undefined && digest === undefined)) return undefined;
  const registry = text('registry');
  return {
    repository,
    ...(registry !== undefined && { registry }),
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
  };
}

/** Replaces `{{ name }}` with the document's own variables. Returns `undefined` if the braces contain anything else. */
function filledIn(texts: Texts, document: ScannedDocument): Texts | undefined {
  const variables = asFields(document.value) ?? {};
  const filled = Object.entries(texts).map(([part, text]) => [part, fillIn(text, variables)] as const);
  return filled.some(([, text]) => text === undefined) ? undefined : Object.fromEntries(filled);
}

/** Maximum number of substitutions in one text. Variables that double each other would grow without end. */
const MAX_VARIABLES = 100;

function fillIn(text: string, variables: Fields, depth = 0, used = { count: 0 }): string | undefined {
  let isKnown = depth < MAX_DEPTH && text.length <= 1000;
  const filled = text.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name: string) => {
    isKnown &&= ++used.count <= MAX_VARIABLES;
    const value = isKnown ? scalarOf(variables, name) : undefined;
    const inner = value === undefined ? undefined : fillIn(value, variables, depth + 1, used);
    isKnown &&= inner !== undefined && inner.length <= 1000;
    return inner ?? '';
  });
  return isKnown && !/[{}]/.test(filled) ? filled : undefined;
}

/** Normalises a key: `webImageRepo`, `web_image_repo` and `WEB-IMAGE-REPO` are equal. */
function bare(key: string): string {
  return key.toLowerCase().replace(/[_-]/g, '');
}
