// OpenShift's Template: `${NAME}` and `${{NAME}}` in its objects stand for its parameters' values (docs.openshift.com, "Using templates").
import type { ScannedDocument } from './contract.ts';
import { asFields, fieldOf, listOf, scalarOf, textOf } from './fields.ts';

/** The document with the parameters' default values filled in; any other document as it is. */
export function fillInTemplate(document: ScannedDocument): ScannedDocument {
  if (fieldOf(document.value, 'kind') !== 'Template') return document;
  const values = new Map<string, string>();
  for (const parameter of listOf(document.value, 'parameters')) {
    const name = textOf(parameter, 'name');
    const value = scalarOf(parameter, 'value');
    if (name !== undefined && value !== undefined) values.set(name, value);
  }
  if (values.size === 0) return document;
  const fill = (text: string): string =>
    text.replace(PARAMETER, (whole, doubled?: string, single?: string) => values.get(doubled ?? single ?? '') ?? whole);
  const objects = mapTexts(fieldOf(document.value, 'objects'), fill);
  return { ...document, value: { ...asFields(document.value), objects, parameters: [] } };
}

const PARAMETER = /\$\{\{(\w+)\}\}|\$\{(\w+)\}/g;

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  const fields = asFields(value);
  return fields
    ? Object.fromEntries(Object.entries(fields).map(([key, item]) => [key, mapTexts(item, change)]))
    : value;
}
