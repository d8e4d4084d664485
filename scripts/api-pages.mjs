// The API pages, made from the declarations of the built library: for each subpath what it hands out, with its docstring. Relies on dist/lib/.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'rolldown/utils';
import { faceOf, SUBPATHS } from './build-library.mjs';

const top = join(import.meta.dirname, '..');
const lib = join(top, 'dist/lib');
/** In this order on a page. */
const KINDS = [
  { title: 'Functions', types: ['TSDeclareFunction'] },
  { title: 'Values', types: ['VariableDeclaration', 'ClassDeclaration'] },
  { title: 'Types', types: ['TSInterfaceDeclaration', 'TSTypeAliasDeclaration'] },
];

/** Whether the declarations are there, and no source is newer. */
export function typesAreCurrent() {
  const built = statSync(join(lib, 'types.d.ts'), { throwIfNoEntry: false });
  if (!built) return false;
  const names = readdirSync(join(top, 'src'), { recursive: true });
  const sources = names.filter((name) => /(?<!\.test)\.ts$/.test(name) && !name.includes('/testing/'));
  return sources.every((name) => statSync(join(top, 'src', name)).mtimeMs <= built.mtimeMs);
}

/** Page names with their texts. */
export function apiPages() {
  const { declarations, exported } = readDeclarations();
  const publicNames = readSubpath('index', exported);
  const parts = SUBPATHS.filter((subpath) => subpath !== 'index');
  return new Map(parts.map((subpath) => [`${subpath}.md`, page(subpath, { declarations, exported, publicNames })]));
}

/** What public declarations name and no subpath hands out. */
export function namedButNotPublic() {
  const { declarations, exported } = readDeclarations();
  const publicNames = readSubpath('index', exported);
  return [...declarations.keys()].filter((name) => !publicNames.has(name)).map((name) => name.replace(/\$\d+$/, ''));
}

/** Public functions of which no docstring says what they do. */
export function undocumented() {
  const { declarations, exported } = readDeclarations();
  return [...readSubpath('index', exported)]
    .filter(([local]) => declarations.get(local)?.type === 'TSDeclareFunction')
    .filter(([local]) => /^(?:$|Errors)/.test(declarations.get(local).doc ?? ''))
    .map(([, name]) => name);
}

function page(subpath, { declarations, exported, publicNames }) {
  const names = readSubpath(subpath, exported);
  const lines = [`# @images-oci/images/${subpath}`, '', purpose(subpath), ''];
  for (const { title, types } of KINDS) {
    const of = [...names].filter(([local]) => types.includes(declarations.get(local)?.type));
    if (of.length === 0) continue;
    lines.push(`## ${title}`, '');
    for (const [local, name] of of.sort((a, b) => (a[1] < b[1] ? -1 : 1))) {
      const { code, doc } = declarations.get(local);
      const text = withPublicNames(code, new Map([...publicNames, [local, name]]));
      lines.push(`### ${name}`, '', ...(doc ? [doc, ''] : []), '```ts', text, '```', '');
    }
  }
  return lines.join('\n');
}

/** A declaration has a number in its name where two have the same, and another name at the subpath where the face says so: readers know the latter. */
function withPublicNames(code, publicNames) {
  const parts = code.split(/(\/\*[\s\S]*?\*\/|'[^']*')/);
  const renamed = (part) => part.replace(/[\w$]+/g, (name) => publicNames.get(name) ?? name.replace(/\$\d+$/, ''));
  return parts.map((part, at) => (at % 2 === 0 ? renamed(part) : part)).join('');
}

/** The first comment of the face, which is also what a reader of the sources sees. */
function purpose(subpath) {
  const [first = ''] = readFileSync(join(top, 'src', faceOf(subpath, '.ts')), 'utf8').split('\n');
  return first.replace(/^\/\/ (?:What is public|The public face) of \S+\/: (.)/, (_, letter) => letter.toUpperCase());
}

/** All declarations by the names that they have in types.d.ts; and which of these stands behind each name that the file exports. */
function readDeclarations() {
  const { text, program, comments } = parsed('types.d.ts');
  const declarations = new Map();
  const exported = new Map();
  for (const node of program.body) {
    if (node.type === 'ExportNamedDeclaration') {
      for (const { local, exported: outer } of node.specifiers) exported.set(outer.name, local.name);
    } else if (node.type !== 'ImportDeclaration') {
      const doc = comments.find(
        ({ type, end }) => type === 'Block' && /^\s*$/.test(text.slice(end, node.start)) && end <= node.start,
      );
      const name = (node.id ?? node.declarations[0].id).name;
      const code = text.slice(node.start, node.end).replace(/^declare /, '');
      declarations.set(name, { type: node.type, code, ...(doc && { doc: docText(doc.value) }) });
    }
  }
  return { declarations, exported };
}

/** From the name in types.d.ts to the name at the subpath. */
function readSubpath(subpath, exported) {
  const { program } = parsed(`${subpath}.d.ts`);
  const imported = new Map();
  const names = new Map();
  for (const node of program.body) {
    for (const specifier of node.specifiers ?? []) {
      if (node.type === 'ImportDeclaration') imported.set(specifier.local.name, specifier.imported.name);
      else names.set(exported.get(imported.get(specifier.local.name)), specifier.exported.name);
    }
  }
  return names;
}

function parsed(name) {
  const text = readFileSync(join(lib, name), 'utf8');
  return { text, ...parseSync(name, text, { lang: 'dts' }) };
}

function docText(comment) {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\* ?/, '').trimEnd());
  return lines.join('\n').trim();
}
