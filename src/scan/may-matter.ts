// Decides which parts of a file are worth parsing. Manifests of operators contain megabytes of schemas in which no rule can find an image.
import { ENCODED } from './encoded-text.ts';

/** Smaller parts are always parsed. That costs little, and syntax errors in them are reported. */
const SMALL = 8192;
const SCHEMA = /^kind:[ \t]*["']?CustomResourceDefinition\b/m;
/** Finds `default: quay.io/x/y:v1` for the rule crd-defaults. Matching the word first and looking behind it is 15 times faster than trying each line. */
const DEFAULT_IMAGE = /default:(?<=^[ \t]*default:)[ \t]*["']?[\w.-]+(?::\d+)?\/[\w./-]{1,300}[:@]/m;
/** Names of fields, kinds and groups that rules know, addresses of models, and references that stand alone. */
const CLUE = /image|repo|registry|hub|secret|\bversion:|tigera|oci:|[\w-]\.[a-z]{2,60}(?::\d+)?\/[\w./-]{1,300}[:@]\w/i;

export function mayMatter(part: string): boolean {
  if (part.length <= SMALL) return true;
  return SCHEMA.test(part) ? DEFAULT_IMAGE.test(part) : CLUE.test(part) || ENCODED.test(part);
}

/** Whether a chart's template contains only schemas. Rendering it would produce megabytes without an image. */
export function isOnlySchemas(template: string): boolean {
  if (template.length <= SMALL || !SCHEMA.test(template) || template.includes('define ')) return false;
  const parts = template.split(/^---/m);
  return parts.every((part) =>
    /^kind:/m.test(part) ? SCHEMA.test(part) && !DEFAULT_IMAGE.test(part) : part.length <= SMALL,
  );
}
