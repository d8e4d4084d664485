// Builds the image of a directory with a Dockerfile, without a daemon, and puts it into an OCI layout.
//
//   node build-image.ts ./hello example.com/hello:1 layout
import { homedir, tmpdir } from 'node:os';
import { formatReference } from '@images-oci/images/oci';
import { makeImage, type Settings, sendBuiltImage } from '@images-oci/images/tasks';

const [directory = '.', tag = 'hello:1', layout = 'layout'] = process.argv.slice(2);
const settings: Settings = {
  env: process.env,
  home: homedir(),
  uid: process.getuid?.() ?? 0,
  temporaryDirectory: tmpdir(),
};

const { name, digest, built } = await makeImage(directory, settings, {
  tag,
  context: directory,
  onEvent(event) {
    if (event.type === 'step-done') console.log(`${event.cached ? 'known' : 'made '} ${event.text}`);
    if (event.type === 'output') process.stderr.write(event.chunk);
  },
});
console.log(`${formatReference(name)} is ${digest}, ${built?.layers.length ?? 0} layers`);

await sendBuiltImage(name, { kind: 'location', text: `oci:${layout}:${name.tag ?? 'latest'}` }, settings);
