// Finds images that no rule of the scanner knows: here those of a custom resource that names a version alone.
//
//   node own-rule.ts ./manifests
import { type DocumentRule, imagesOf, rulesWith, scan, usedImage } from '@images-oci/images/scan';

/** `kind: Database` runs the image `registry.example.com/db` in the version that its spec says. */
const databases: DocumentRule = {
  name: 'databases',
  // Large files, and texts inside other texts, are parsed only if they have the clue of some rule.
  clue: /Database/,
  matches: (document) => fieldOf(document.value, 'kind') === 'Database',
  *find(document) {
    const version = fieldOf(fieldOf(document.value, 'spec'), 'version');
    if (typeof version !== 'string') return;
    // The path tells at which line of the file the version stands.
    const spot = { document, path: ['spec', 'version'], rule: 'databases' };
    yield usedImage(`registry.example.com/db:${version}`, spot);
  },
};

/** Documents are data from outside: nothing is known of their form. */
function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

const found = await scan(process.argv[2] ?? '.', { rules: rulesWith({ documents: [databases] }) });
for (const image of imagesOf(found)) {
  const positions = found.findings.filter((finding) => finding.image === image).map(({ position }) => position);
  console.log(`${image} ${positions.map(({ file, line }) => `${file}:${line}`).join(' ')}`);
}
for (const { file, text } of found.warnings) console.error(`${file}: ${text}`);
