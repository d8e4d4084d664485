// Documents that mention images but are certainly not manifests: API descriptions, schemas, indexes of chart repositories.
import { asFields, type Fields, fieldOf, textOf } from './fields.ts';

/** True for documents from which nothing is deployed. Their images are examples, or a list to choose from. */
export function isOtherFormat(value: unknown): boolean {
  const fields = asFields(value);
  if (fields === undefined || textOf(fields, 'kind') !== undefined) return false;
  return FORMATS.some((isFormat) => isFormat(fields));
}

const FORMATS: readonly ((fields: Fields) => boolean)[] = [
  // OpenAPI and Swagger (spec.openapis.org).
  (fields) => ['openapi', 'swagger'].some((key) => Object.hasOwn(fields, key)) && Object.hasOwn(fields, 'info'),
  // json-schema.org
  (fields) => /json-schema\.org/.test(textOf(fields, '$schema') ?? '') && Object.hasOwn(fields, 'properties'),
  // Index of a chart repository: versions of charts by name (helm.sh/docs/topics/chart_repository).
  (fields) =>
    Object.values(asFields(fields.entries) ?? {}).some((list) => fieldOf(asList(list)[0], 'urls') !== undefined),
  // Grafana dashboards.
  (fields) => Array.isArray(fields.panels) && Object.hasOwn(fields, 'schemaVersion'),
];

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
