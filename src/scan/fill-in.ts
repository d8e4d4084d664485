// What a document is when what it leaves open is put in: the parameters of its objects, the variables of its texts. Relies on parameters/ and variables.ts.
import type { ScannedDocument, Warning } from './contract.ts';
import { asFields, valueAt } from './fields.ts';
import { mapTexts } from './map-texts.ts';
import { withParameters } from './parameters/fill-in.ts';
import { NO_VARIABLES, substitute, type Variables } from './variables.ts';

/** What variables stand for, for whom a text is read. */
export interface KnownVariables {
  readonly variables: Variables;
  /** Why it may be another one. */
  readonly doubt?: string;
}

/** Nobody sets anything: what a text itself says of its variables counts. */
export const PLAIN: readonly KnownVariables[] = [{ variables: NO_VARIABLES }];

export interface Filled {
  readonly document: ScannedDocument;
  readonly doubt?: string;
}

/** The documents that this one stands for: one, but for parts that are used in several ways, in each of the environments; and what was left out. */
export function* filledIn(
  document: ScannedDocument,
  environments: readonly KnownVariables[] = PLAIN,
): Iterable<Filled | Warning> {
  const { documents, warnings } = withParameters(document);
  yield* warnings;
  for (const one of documents) {
    if (!mayHaveVariables(one)) yield { document: one };
    else yield* withVariables(one, environments);
  }
}

/** Not schemas, whose descriptions have any signs, and not what tells Flux to leave it (fluxcd.io/flux/components/kustomize/kustomizations, "Post build"). */
function mayHaveVariables({ value, source }: ScannedDocument): boolean {
  if (source !== undefined && !source.includes('${')) return false;
  if (asFields(value)?.kind === 'CustomResourceDefinition') return false;
  return valueAt(value, 'metadata', 'annotations', 'kustomize.toolkit.fluxcd.io/substitute') !== 'disabled';
}

/** Each document that comes out once: most variables of an environment are not those of this document. */
function* withVariables(document: ScannedDocument, environments: readonly KnownVariables[]): Iterable<Filled> {
  const known = new Set<string>();
  for (const { variables, doubt } of environments) {
    const changes: (string | undefined)[] = [doubt];
    const value = mapTexts(document.value, (text) => {
      const filled = substitute(text, variables);
      if (filled !== text) changes.push(text, filled);
      return filled;
    });
    const key = JSON.stringify(changes);
    if (known.has(key)) continue;
    known.add(key);
    const filled = value === document.value ? document : { ...document, value };
    yield { document: filled, ...(doubt !== undefined && { doubt }) };
  }
}
