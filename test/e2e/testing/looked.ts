// A small image in which every kind of change to a file happens, for the commands that look into images.
import { buildImage, layerOf } from '../../fixtures/image.ts';

export const BASE = layerOf([
  { name: 'bin/' },
  { name: 'bin/tool', data: 'tool', mode: 0o4755 },
  { name: 'etc/' },
  { name: 'etc/gone', data: 'x'.repeat(1000) },
  { name: 'etc/link', link: '../../etc/passwd', mode: 0o777 },
  { name: 'etc/passwd', data: 'root\n' },
]);
export const TOP = layerOf([
  { name: 'etc/.wh.gone' },
  { name: 'etc/passwd', data: 'changed\n' },
  { name: 'new/' },
  { name: 'new/odd\u001b[31m\nname', data: '!' },
]);
export const LOOKED = buildImage({
  layers: [BASE, TOP],
  instructions: ['/bin/sh -c #(nop) ADD file:0123 in / ', 'RUN /bin/sh -c adduser x # buildkit'],
  labels: { 'a.label': 'evil \u001b[31m\u009b5n' },
});
