// Manifests, configuration and scripts in texts: values of ConfigMaps and Secrets, `valuesContent`, cloud-init, examples of an operator.
import type { DocumentRule, Finding, ListedRule, Path, ScannedDocument, Warning } from '../contract.ts';
import { decodedText, ENCODED, MAX_ENCODED, TOO_LONG } from '../encoded-text.ts';
import { findInDocument } from '../find-in-document.ts';
import { maybe, used } from '../findings.ts';
import { imageLines } from '../lines.ts';
import { cluesOf } from '../may-matter.ts';
import { formatPath, pathOf } from '../path.ts';
import { imagesInText } from '../text-images.ts';
import { UNTAGGED, whyNotRun } from '../verdict.ts';
import { mayMention, type Visit, visitsOf } from '../walk.ts';
import { parseYaml } from '../yaml.ts';

const RULE = 'embedded-texts';
/** Maximum number of texts nested in texts. */
const MAX_NESTING = 4;
const COMMAND_LINES: ReadonlySet<string> = new Set(['args', 'command', 'env', 'cmd', 'arguments']);
const ALM_EXAMPLES = 'alm-examples';
/** OLM's examples of custom resources, and the key under which Knative documents a ConfigMap. */
const EXAMPLES: ReadonlySet<unknown> = new Set([ALM_EXAMPLES, '_example']);

/** A block scalar, a quoted text of several lines, or JSON in quotes. */
const TEXT_IN_TEXT = /[|>][-+0-9]*[ \t]*(?:#.*)?$|\\n|["']\s*[[{]|["'][^"'\n]*\n/m;

/** Runs `rules` on the documents in texts, and itself on the texts in those documents. */
export function embeddedTexts(rules: readonly DocumentRule[], nesting = 0): ListedRule {
  const inner = () => [...rules, embeddedTexts(rules, nesting + 1)];
  return {
    name: RULE,
    // A Secret's values are encoded, and can be too short to be told from names.
    clue: new RegExp(`[Ss]ecret|${ENCODED.source}`),
    sample: 'kind: Secret\ndata:\n  a.yaml: aW1hZ2U6IHF1YXkuaW8vYS9iOnYxCmtpbmQ6IFByb3h5Cg==\n',
    matches: (document) => mayMention(document, TEXT_IN_TEXT) || mayMention(document, ENCODED),
    *find(document) {
      for (const visit of visitsOf(document)) {
        const text = textIn(visit, rules);
        if (text === undefined) continue;
        if (text === TOO_LONG || nesting > MAX_NESTING) {
          yield leftOut(document, visit, text === TOO_LONG ? LONG : DEEP);
          continue;
        }
        // An encoded text has no lines of its own in the file: all findings get the line at which it begins.
        const outer = text === visit.value ? document : { ...document, lineInText: (at: Path) => document.lineOf(at) };
        const found = findInText(outer, { visit, text, rules: inner() });
        yield* EXAMPLES.has(visit.key) ? asExamples(found) : found;
      }
    },
  };
}

interface Embedded {
  readonly visit: Visit;
  readonly text: string;
  readonly rules: readonly DocumentRule[];
}

const LONG = `a text of more than ${MAX_ENCODED >> 20} MiB, or one too many that is packed, is not looked into`;
const DEEP = `texts in texts, more than ${MAX_NESTING + 1} deep, are not looked into`;

function leftOut(document: ScannedDocument, visit: Visit, what: string): Warning {
  const path = pathOf(visit);
  return { file: document.file, line: document.lineOf(path), text: `${formatPath(path)}: ${what}` };
}

/** A text, also an encoded one, that has several lines or is JSON, and can contain an image. */
function textIn(visit: Visit, rules: readonly DocumentRule[]): string | typeof TOO_LONG | undefined {
  if (typeof visit.value !== 'string' || isSaidElsewhere(visit)) return undefined;
  if (visit.value.length > MAX_ENCODED) return MAY_HOLD_IMAGES.test(visit.value) ? TOO_LONG : undefined;
  const text = decodedText(visit.value) ?? visit.value;
  if (text === TOO_LONG) return text;
  return isWorthALook(text) &&
    /\n|^\s*[[{]/.test(text) &&
    (MAY_HOLD_IMAGES.test(text) || ENCODED.test(text) || cluesOf(rules).isIn(text))
    ? text
    : undefined;
}

const MAY_HOLD_IMAGES = /image|repository|\btag\b|\/[\w.-]+(?::[\w.]|@sha)/i;

function isWorthALook(text: string): boolean {
  return !text.startsWith('-----BEGIN');
}

function isSaidElsewhere(visit: Visit): boolean {
  for (let at: Visit | undefined = visit, steps = 0; at && steps < 4; at = at.parent, steps++) {
    if (typeof at.key === 'string' && COMMAND_LINES.has(at.key) && typeof at.value !== 'string') return true;
    if (at.parent?.key === 'annotations') return at.key !== ALM_EXAMPLES;
  }
  return typeof visit.key === 'string' && COMMAND_LINES.has(visit.key);
}

function* findInText(document: ScannedDocument, { visit, text, rules }: Embedded): Iterable<Finding | Warning> {
  const path = pathOf(visit);
  const outer = formatPath(path);
  const parsed = parseYaml(document.file, text);
  const isStructured = parsed.documents.some(({ value }) => typeof value === 'object');
  for (const inner of parsed.documents) {
    if (typeof inner.value !== 'object') continue;
    const moved = moveInto(document, path, inner);
    for (const found of findInDocument(moved, rules)) yield relocate(found, outer);
  }
  for (const part of parsed.broken) {
    for (const found of imageLines(document.file, part)) {
      yield atLine(found, { document, path, outer });
    }
  }
  if (!isStructured) yield* wordsOfText(document, { visit, text, rules });
}

/** The embedded document with the line numbers of the outer file. */
function moveInto(document: ScannedDocument, path: Path, inner: ScannedDocument): ScannedDocument {
  return {
    file: document.file,
    value: inner.value,
    isEmbedded: true,
    ...(inner.source !== undefined && { source: inner.source }),
    lineOf: (at) => document.lineInText(path, inner.lineOf(at)),
    lineInText: (at, line) => document.lineInText(path, inner.lineInText(at, line)),
  };
}

function relocate(found: Finding | Warning, outer: string): Finding | Warning {
  if (!('image' in found)) return { ...found, text: `${outer} > ${found.text}` };
  const { path } = found.position;
  return { ...found, position: { ...found.position, path: path === '' ? outer : `${outer} > ${path}` } };
}

function atLine(
  found: Finding | Warning,
  { document, path, outer }: { readonly document: ScannedDocument; readonly path: Path; readonly outer: string },
): Finding | Warning {
  const line = (inner: number): number => document.lineInText(path, inner);
  if (!('image' in found)) return { ...found, line: line(found.line ?? 1), text: `${outer}: ${found.text}` };
  return { ...found, rule: RULE, position: { ...found.position, line: line(found.position.line), path: outer } };
}

/** A script or a list of settings. A script may run the image itself, so it is not certain that the cluster's runtime pulls it. */
function* wordsOfText(document: ScannedDocument, { visit, text }: Embedded): Iterable<Finding> {
  const path = pathOf(visit);
  const notRun = whyNotRun(visit.object);
  for (const { image, line, isNamed, isVersioned } of imagesInText(text)) {
    const spot = { document: { ...document, lineOf: () => document.lineInText(path, line) }, path, rule: RULE };
    if (isNamed && isVersioned && !notRun) yield used(image, spot);
    else if (isNamed && !isVersioned) yield maybe(image, notRun ?? UNTAGGED, spot);
    else yield maybe(image, notRun ?? 'a word of a text that reads like a reference', spot);
  }
}

/** Turns findings into maybes: nobody applies examples, except to try them. */
function* asExamples(found: Iterable<Finding | Warning>): Iterable<Finding> {
  for (const one of found) {
    if ('image' in one) yield { ...one, certainty: 'maybe', reason: 'it stands in an example' };
  }
}
