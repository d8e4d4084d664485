// Loads Node's HTTP modules when first used. `import 'node:http'` reads all exports, and so runs getters that load Node's fetch: 30–40 ms at every start.
// `require` returns the module without reading them: 4 ms.
import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

export function nodeHttp(): typeof import('node:http') {
  return load('node:http');
}

export function nodeHttps(): typeof import('node:https') {
  return load('node:https');
}

export function nodeTls(): typeof import('node:tls') {
  return load('node:tls');
}

export function nodeNet(): typeof import('node:net') {
  return load('node:net');
}

export function nodeDns(): typeof import('node:dns') {
  return load('node:dns');
}
