// What does this overlay use? Prints each image once, with the positions in its files at which it stands.
//
//   node overlay-images.ts examples/hello-cluster
import { homedir, tmpdir } from 'node:os';
import { overlayImages, type Settings } from '@images-oci/images/tasks';

const settings: Settings = {
  env: process.env,
  home: homedir(),
  uid: process.getuid?.() ?? 0,
  temporaryDirectory: tmpdir(),
};

const { images, maybe, findings, warnings } = await overlayImages({ items: process.argv.slice(2) }, settings);

for (const image of images) {
  console.log(image);
  for (const { position, rule } of findings.filter((finding) => finding.image === image)) {
    console.log(`  ${position.file}:${position.line} ${position.path} (${rule})`);
  }
}
for (const { image, reason } of maybe) console.log(`perhaps ${image}: ${reason}`);
for (const { file, line, text } of warnings) console.error(`${file}:${line ?? 1}: ${text}`);
