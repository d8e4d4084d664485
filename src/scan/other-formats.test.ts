import { expect, it } from 'vitest';
import { maybeIn, usedIn } from './testing/scan-files.ts';

it.each([
  ['an OpenAPI document', 'openapi: 3.1.0\ninfo: {}\npaths: {/x: {example: {image: "quay.io/x/y:1"}}}\n'],
  [
    'a JSON schema',
    '$schema: http://json-schema.org/draft-07/schema#\nproperties: {image: {default: "quay.io/x/y:1"}}\n',
  ],
  ["a chart repository's index", 'entries: {a: [{urls: [a.tgz], annotations: {images: "- image: quay.io/x/y:1"}}]}\n'],
  ['a dashboard', 'schemaVersion: 1\npanels: [{image: "quay.io/x/y:1"}]\n'],
])('%s has no images', (_, text) => {
  expect(usedIn(text)).toEqual([]);
  expect(maybeIn(text)).toEqual([]);
});
