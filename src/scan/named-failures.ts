// A rule that the library's caller wrote may fail. Among thousands of files, its error must say at which one.
import { isImagesError } from '../oci/errors.ts';
import type { DocumentRule, ScannedDocument } from './contract.ts';

/** The rule; what it throws is the cause of an error that names rule, file and line. ImagesErrors stay what they are. */
export function withNamedFailures(rule: DocumentRule): DocumentRule {
  const { name, clue, inSchemas } = rule;
  const named = (error: unknown, document: ScannedDocument): unknown => {
    if (isImagesError(error)) return error;
    const why = error instanceof Error ? error.message : `${error}`;
    return new Error(`rule ${name} fails at ${document.file}:${document.lineOf([])}: ${why}`, { cause: error });
  };
  return {
    name,
    ...(clue && { clue }),
    ...(inSchemas !== undefined && { inSchemas }),
    matches(document) {
      try {
        return rule.matches(document);
      } catch (error) {
        throw named(error, document);
      }
    },
    *find(document) {
      try {
        yield* rule.find(document);
      } catch (error) {
        throw named(error, document);
      }
    },
  };
}
