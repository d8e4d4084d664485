// A plugin for the bundler: `import()` of a chunk that only hands on what another chunk exports goes to that chunk. Where modules are grouped, each dynamic import
// gets such a go-between; finding, reading and linking one takes over a millisecond, and a short command would meet several.

/** As the bundler writes them. */
const IMPORT = /\bimport\("(\.[^"]+)"\)/g;
const GO_BETWEEN = /^export \{ ([^{}]+) \} from "\.\/([^"]+)";\s*$/;

export function directImports() {
  return {
    name: 'direct-imports',
    generateBundle(_options, bundle) {
      const goBetweens = new Map();
      for (const [file, chunk] of Object.entries(bundle)) {
        const match = chunk.type === 'chunk' && !chunk.isEntry && GO_BETWEEN.exec(chunk.code);
        if (match) goBetweens.set(baseName(file), { exports: match[1], to: match[2] });
      }
      for (const [file, chunk] of Object.entries(bundle)) {
        if (goBetweens.has(baseName(file.replace(/\.map$/, '')))) delete bundle[file];
        else if (chunk.type === 'chunk')
          chunk.code = chunk.code.replace(IMPORT, (whole, path) => direct(whole, path, goBetweens));
      }
    },
  };
}

/** `{ t as run }` becomes an object that has `run`, as the module itself would. */
function direct(whole, path, goBetweens) {
  const name = baseName(path);
  const goBetween = goBetweens.get(name);
  if (!goBetween) return whole;
  const fields = goBetween.exports.split(',').map((entry) => {
    const [inner, outer = inner] = entry.trim().split(' as ');
    return `${outer}: m.${inner}`;
  });
  return `import("${path.slice(0, -name.length)}${goBetween.to}").then((m) => ({ ${fields.join(', ')} }))`;
}

function baseName(path) {
  return path.slice(path.lastIndexOf('/') + 1);
}
