import { expect, it } from 'vitest';
import * as types from './media-types.ts';

const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar';
const OCI_ELSEWHERE = 'application/vnd.oci.image.layer.nondistributable.v1.tar';
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar';
const DOCKER_ELSEWHERE = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
const CHART = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';

it.each([
  { mediaType: OCI_LAYER, layer: true, gzip: false, elsewhere: false },
  { mediaType: `${OCI_LAYER}+gzip`, layer: true, gzip: true, elsewhere: false },
  { mediaType: `${OCI_LAYER}+zstd`, layer: true, gzip: false, elsewhere: false },
  { mediaType: OCI_ELSEWHERE, layer: true, gzip: false, elsewhere: true },
  { mediaType: `${OCI_ELSEWHERE}+gzip`, layer: true, gzip: true, elsewhere: true },
  { mediaType: `${OCI_ELSEWHERE}+zstd`, layer: true, gzip: false, elsewhere: true },
  { mediaType: DOCKER_LAYER, layer: true, gzip: false, elsewhere: false },
  { mediaType: `${DOCKER_LAYER}.gzip`, layer: true, gzip: true, elsewhere: false },
  { mediaType: DOCKER_ELSEWHERE, layer: true, gzip: true, elsewhere: true },
  { mediaType: CHART, layer: false, gzip: false, elsewhere: false },
  { mediaType: types.OCI_CONFIG, layer: false, gzip: false, elsewhere: false },
])('says of $mediaType whether it is a layer, in gzip, and kept elsewhere', ({ mediaType, layer, gzip, elsewhere }) => {
  expect({
    layer: types.isLayerType(mediaType),
    gzip: types.isGzipType(mediaType),
    elsewhere: types.isNonDistributable(mediaType),
  }).toEqual({ layer, gzip, elsewhere });
});
