// Annotations with images: `sidecar.istio.io/proxyImage`, the lists `helm.sh/images` and `artifacthub.io/images`, OLM's `containerImage`.
import type { Finding, ListedRule, ScannedDocument } from '../contract.ts';
import { asFields, textOf } from '../fields.ts';
import { maybe, used } from '../findings.ts';
import { judgeImageWithCare } from '../image-text.ts';
import { imageKey } from '../key-names.ts';
import { pathOf } from '../path.ts';
import { isSurelyImage } from '../verdict.ts';
import { mayMention, visitsOf } from '../walk.ts';
import { parseYaml } from '../yaml.ts';

const RULE = 'annotations';
/** Lists of `{name, image}`, as YAML in a text (helm.sh/docs, artifacthub.io/docs/topics/annotations/helm). */
const LISTS: ReadonlySet<string> = new Set(['helm.sh/images', 'artifacthub.io/images', 'images']);
/** Annotations in which tools that watch or rewrite images store their own data. */
const NOTES = /^(?:argocd-image-updater\.argoproj\.io|image\.openshift\.io|keel\.sh|diun\.|kubectl\.kubernetes\.io)/;

export const annotations: ListedRule = {
  name: RULE,
  clue: /image/i,
  sample: "kind: Pod\nmetadata: {annotations: {sidecar.istio.io/proxyImage: 'istio/proxyv2:1.9'}}\n",
  matches: (document) => mayMention(document, /annotations/),
  *find(document) {
    for (const visit of visitsOf(document)) {
      const fields = visit.key === 'annotations' ? asFields(visit.value) : undefined;
      for (const [key, value] of Object.entries(fields ?? {})) {
        if (typeof value !== 'string' || NOTES.test(key)) continue;
        yield* find(document, { path: [...pathOf(visit), key], key, value });
      }
    }
  },
};

function* find(
  document: ScannedDocument,
  { path, key, value }: { readonly path: readonly (string | number)[]; readonly key: string; readonly value: string },
): Iterable<Finding> {
  const spot = { document, path, rule: RULE };
  if (LISTS.has(key)) {
    for (const image of listedImages(value)) yield used(image, spot);
    return;
  }
  const judged = judgeImageWithCare(value);
  if (judged.kind !== 'image' || imageKey(key.slice(key.lastIndexOf('/') + 1)) !== 'yes') return;
  const { reference, image } = judged;
  if (key === 'containerImage')
    yield maybe(image, 'it tells which image the operator has; its deployment decides', spot);
  else if (isSurelyImage(reference)) yield used(image, spot);
  else if (reference.path.includes('/') || reference.host || reference.tag) {
    yield maybe(image, 'an annotation: what reads it decides', spot);
  }
}

/** Entries are references, or objects with an `image`. */
export function* listedImages(text: string): Iterable<string> {
  for (const { value } of parseYaml('', text).documents) {
    for (const entry of Array.isArray(value) ? value : []) {
      const judged = judgeImageWithCare(textOf(entry, 'image') ?? entry);
      if (judged.kind === 'image') yield judged.image;
    }
  }
}
