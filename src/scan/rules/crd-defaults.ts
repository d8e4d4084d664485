// The defaults of image fields in CustomResourceDefinitions. Such an image runs only if a resource omits the field.
import type { Finding, ListedRule, Path, ScannedDocument } from '../contract.ts';
import { fieldOf } from '../fields.ts';
import { maybe } from '../findings.ts';
import { hasRealHost, judgeImageWithCare } from '../image-text.ts';
import { imageKey } from '../key-names.ts';

const RULE = 'crd-defaults';
const MAX_DEPTH = 100;
/** For example `default: quay.io/x/y:v1`. Matching the word first and looking behind it is 15 times faster than trying each line. */
const DEFAULT_IMAGE = /default:(?<=^[ \t]*default:)[ \t]*["']?[\w.-]+(?::\d+)?\/[\w./-]{1,300}[:@]/m;
const SAMPLE = `kind: CustomResourceDefinition
spec:
  properties:
    image:
      default: quay.io/a/b:v1
`;

export const crdDefaults: ListedRule = {
  name: RULE,
  clue: DEFAULT_IMAGE,
  inSchemas: true,
  sample: SAMPLE,
  matches: ({ value }) => fieldOf(value, 'kind') === 'CustomResourceDefinition',
  *find(document) {
    yield* defaultsIn(document, { value: document.value, path: [], field: '' });
  },
};

interface At {
  readonly value: unknown;
  readonly path: Path;
  /** The property whose schema this is. */
  readonly field: string;
}

function* defaultsIn(document: ScannedDocument, { value, path, field }: At): Iterable<Finding> {
  if (typeof value !== 'object' || value === null || path.length > MAX_DEPTH) return;
  for (const [key, child] of Object.entries(value)) {
    if (key === 'default' && typeof child === 'string' && imageKey(field) === 'yes') {
      const judged = judgeImageWithCare(child);
      const isWhole = judged.kind === 'image' && (hasRealHost(judged.reference) || /[/:]/.test(judged.image));
      if (isWhole) yield maybe(judged.image, 'the default of a field', { document, path: [...path, key], rule: RULE });
    } else {
      yield* defaultsIn(document, {
        value: child,
        path: [...path, Array.isArray(value) ? Number(key) : key],
        field: path.at(-1) === 'properties' ? key : field,
      });
    }
  }
}
