// Lists the files of an image; with a second image, says what differs between the two. Nothing is unpacked.
//
//   node list-and-diff-files.ts docker://alpine:3.19 docker://alpine:3.20
import { homedir, tmpdir } from 'node:os';
import { diffTrees } from '@images-oci/images/rootfs';
import { listPath, openTree, type Settings } from '@images-oci/images/tasks';

const [first = '', second] = process.argv.slice(2);
const settings: Settings = {
  env: process.env,
  home: homedir(),
  uid: process.getuid?.() ?? 0,
  temporaryDirectory: tmpdir(),
};

await using before = await openTree({ image: first }, settings);

if (second === undefined) {
  for (const { path, header } of listPath(before.tree, '/', { recursive: true })) {
    console.log(`${header.mode.toString(8).padStart(4, '0')} ${header.size} ${path}`);
  }
} else {
  await using after = await openTree({ image: second }, settings);
  for (const { path, change, aspects } of await diffTrees(before, after)) {
    console.log([change, path, ...aspects].join(' '));
  }
}
