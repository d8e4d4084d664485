// Which parts of a file are worth parsing: operators' manifests are megabytes of schemas in which no rule can find anything.
import { ENCODED } from './encoded-text.ts';

/** Smaller ones are parsed whatever they hold: it costs nothing, and a typing error in them is told. */
const SMALL = 8192;
const SCHEMA = /^kind:[ \t]*["']?CustomResourceDefinition\b/m;
/** `default: quay.io/x/y:v1`: what crd-defaults looks for. The word comes first, and then what is before it: that is found 15 times faster than lines are tried. */
const DEFAULT_IMAGE = /default:(?<=^[ \t]*default:)[ \t]*["']?[\w.-]+(?::\d+)?\/[\w./-]{1,300}[:@]/m;
/** Names of fields, kinds and groups that rules know, addresses of models, references that stand alone. */
const CLUE = /image|repo|registry|hub|secret|\bversion:|tigera|oci:|[\w-]\.[a-z]{2,60}(?::\d+)?\/[\w./-]{1,300}[:@]\w/i;

export function mayMatter(part: string): boolean {
  if (part.length <= SMALL) return true;
  return SCHEMA.test(part) ? DEFAULT_IMAGE.test(part) : CLUE.test(part) || ENCODED.test(part);
}

/** A chart's template of nothing but schemas: rendering it makes megabytes in which nothing is found. */
export function isOnlySchemas(template: string): boolean {
  if (template.length <= SMALL || !SCHEMA.test(template) || template.includes('define ')) return false;
  const parts = template.split(/^---/m);
  return parts.every((part) =>
    /^kind:/m.test(part) ? SCHEMA.test(part) && !DEFAULT_IMAGE.test(part) : part.length <= SMALL,
  );
}
