// Node's HTTP modules, loaded when first used. `import 'node:http'` copies every export of the module and so runs the getters behind
// which Node keeps its fetch implementation: 30–40 ms at every start. `require` hands over the module as it is: 4 ms.
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
