// Fills in the parameters of a document's objects and the variables in its texts. Relies on parameters/ and variables.ts.
import type { ScannedDocument, Warning } from './contract.ts';
import { asFields, valueAt } from './fields.ts';
import { mapTexts } from './map-texts.ts';
import { withParameters } from './parameters/fill-in.ts';
import { NO_VARIABLES, substitute, type Variables } from './variables.ts';

/** Values of variables in one environment. */
export interface KnownVariables {
  readonly variables: Variables;
  /** Why the values may be different in reality. */
  readonly doubt?: string;
}

/** The environment in which nobody sets variables: only the defaults in the text itself apply. */
export const PLAIN: readonly KnownVariables[] = [{ variables: NO_VARIABLES }];

export interface Filled {
  readonly document: ScannedDocument;
  readonly doubt?: string;
}

/** The documents that this one stands for, in each environment, and warnings for what was left out. Several if parts are called with several sets of parameters. */
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

/** False for schemas, whose descriptions contain any characters, and for objects that disable Flux's substitution (fluxcd.io/flux/components/kustomize/kustomizations). */
function mayHaveVariables({ value, source }: ScannedDocument): boolean {
  if (source !== undefined && !source.includes('${')) return false;
  if (asFields(value)?.kind === 'CustomResourceDefinition') return false;
  return valueAt(value, 'metadata', 'annotations', 'kustomize.toolkit.fluxcd.io/substitute') !== 'disabled';
}

/** Yields each different result once. Environments often differ only in variables that this document does not use. */
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
