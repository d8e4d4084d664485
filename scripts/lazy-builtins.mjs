// A plugin for the bundler: functions of Node's own modules are looked up when they are first called. An ESM import of such a module touches all of
// its exports and so loads all that they lead to: node:crypto alone costs 10 ms, as much as half of a short command takes.

/** Modules whose import costs time. From them src/ can import functions, and what is listed here. */
const MODULES = [
  'node:child_process',
  'node:crypto',
  'node:fs',
  'node:fs/promises',
  'node:http2',
  'node:https',
  'node:net',
  'node:os',
  'node:stream/promises',
  'node:tls',
  'node:util',
  'node:zlib',
];
const VALUES = { 'node:fs': ['constants'] };
/** Objects whose fields are looked up when they are first asked for. */
const OBJECTS = { 'node:crypto': ['constants'], 'node:zlib': ['constants'] };
/** Classes that are looked up when one is first made; nobody asks whether something is one. */
const CLASSES = { 'node:crypto': ['X509Certificate'], 'node:net': ['BlockList', 'Socket'] };
/** Functions that the module to the right has, too, with a callback at the end: it is loaded anyway, when Node starts. */
const BY_CALLBACK = { 'node:fs/promises': { from: 'node:fs', names: ['lstat', 'readdir', 'stat'] } };
const PREFIX = '\0lazy:';

export function lazyBuiltins(sourceDirectory) {
  return {
    name: 'lazy-builtins',
    resolveId(id, importer) {
      return MODULES.includes(id) && importer?.startsWith(sourceDirectory) ? PREFIX + id : null;
    },
    load(id) {
      return id.startsWith(PREFIX) ? lazyModule(id.slice(PREFIX.length)) : null;
    },
  };
}

function lazyModule(id) {
  const module = process.getBuiltinModule(id);
  // Short, and of this module alone, so the bundler need not lengthen it: it is in every line.
  const own = `_${MODULES.indexOf(id).toString(36)}`;
  const byCallback = BY_CALLBACK[id] ?? { names: [] };
  const isLazy = (name) => /^[a-z]\w*$/.test(name) && isPlainFunction(module, name) && !byCallback.names.includes(name);
  const names = Object.keys(module).filter(isLazy);
  const functions = names.map((name) => `export const ${name} = (...args) => ${own}().${name}(...args);`);
  const values = (VALUES[id] ?? []).map((name) => `export const ${name} = ${own}().${name};`);
  const objects = (OBJECTS[id] ?? []).map(
    (name) => `export const ${name} = new Proxy({}, { get: (_, field) => ${own}().${name}[field] });`,
  );
  const classes = (CLASSES[id] ?? []).map(
    (name) =>
      `export const ${name} = new Proxy(class {}, { construct: (_, args) => Reflect.construct(${own}().${name}, args) });`,
  );
  const promises = byCallback.names.map(
    (name) => `export const ${name} = (...args) => new Promise((resolve, reject) =>
  process.getBuiltinModule('${byCallback.from}').${name}(...args, (error, value) => (error ? reject(error) : resolve(value))));`,
  );
  return [
    // The look-up is a tenth of what the quickest calls cost.
    `let ${own}m;`,
    `const ${own} = () => (${own}m ??= process.getBuiltinModule('${id}'));`,
    ...functions,
    ...promises,
    ...values,
    ...objects,
    ...classes,
  ].join('\n');
}

/** Getters lead to what is to stay unloaded. */
function isPlainFunction(module, name) {
  const { value } = Object.getOwnPropertyDescriptor(module, name);
  return typeof value === 'function';
}
