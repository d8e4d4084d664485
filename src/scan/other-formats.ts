// Documents that speak of images and are certainly no manifests: descriptions of APIs, schemas, indexes of chart repositories.
import { asFields, type Fields, fieldOf, textOf } from './fields.ts';

/** True for what nothing is deployed from; its images are examples, or everything there is to choose from. */
export function isOtherFormat(value: unknown): boolean {
  const fields = asFields(value);
  if (fields === undefined || textOf(fields, 'kind') !== undefined) return false;
  return FORMATS.some((isFormat) => isFormat(fields));
}

const FORMATS: readonly ((fields: Fields) => boolean)[] = [
  // spec.openapis.org: OpenAPI and Swagger.
  (fields) => ['openapi', 'swagger'].some((key) => Object.hasOwn(fields, key)) && Object.hasOwn(fields, 'info'),
  // json-schema.org
  (fields) => /json-schema\.org/.test(textOf(fields, '$schema') ?? '') && Object.hasOwn(fields, 'properties'),
  // helm.sh/docs/topics/chart_repository: lists of versions of charts by their names.
  (fields) =>
    Object.values(asFields(fields.entries) ?? {}).some((list) => fieldOf(asList(list)[0], 'urls') !== undefined),
  // Dashboards of Grafana.
  (fields) => Array.isArray(fields.panels) && Object.hasOwn(fields, 'schemaVersion'),
];

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
