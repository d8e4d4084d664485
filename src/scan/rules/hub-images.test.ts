import { expect, it } from 'vitest';
import { maybeIn, usedIn } from '../testing/scan-files.ts';

it('images that Istio’s injector makes of hub and tag are used', () => {
  const values = {
    global: { hub: 'docker.io/istio', tag: '1.20.0', proxy: { image: 'proxyv2' }, proxy_init: { image: 'proxyv2' } },
  };
  const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio-sidecar-injector}\ndata:\n  values: '${JSON.stringify(values)}'\n`;
  expect([usedIn(text), maybeIn(text)]).toEqual([['docker.io/istio/proxyv2:1.20.0'], []]);
});

it('images of hub and tag in a resource are uncertain below other fields, and used beside them', () => {
  const text = (spec: string) => `apiVersion: x/v1\nkind: X\nspec: ${spec}\n`;
  expect(maybeIn(text('{hub: quay.io/mesh, tag: 1.2, pilot: {image: pilot}}'))).toEqual(['quay.io/mesh/pilot:1.2']);
  expect(usedIn(text('{hub: quay.io/mesh, tag: 1.20, image: pilot}'))).toEqual(['quay.io/mesh/pilot:1.20']);
});
