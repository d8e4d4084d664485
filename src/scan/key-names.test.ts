import { describe, expect, it } from 'vitest';
import { imageKey, isImageList, wordsOf } from './key-names.ts';

describe('names of fields, variables and flags', () => {
  it.each([
    'image',
    'proxyImage',
    'initImage',
    'imageName',
    'imageRef',
    'containerImage',
    'docker_image',
    'queue-sidecar-image',
    'RELATED_IMAGE_CONTROLLER',
    'RELATED_IMAGE_IMAGE_REGISTRY',
    'ROOK_CSI_CEPH_IMAGE',
    '--acme-http01-solver-image',
    '-nop-image',
    'images',
    'relatedImages',
    'STRIMZI_KAFKA_IMAGES',
  ])('%s holds an image', (name) => expect(imageKey(name)).toBe('yes'));

  it.each([
    'imagePullPolicy',
    'imagePullSecrets',
    'imageTag',
    'imageRegistry',
    'imageRepository',
    'IMAGE_VERSION',
    'imageID',
    'imageGCHighThresholdPercent',
    'IMAGE_PULL_SECRET',
    'name',
    'imagine',
    'imageStream',
    '--image-repository',
    'imageContentSources',
  ])('%s does not', (name) => expect(imageKey(name)).toBe('no'));

  it.each(['osImage', 'machineImage', 'logoImage', 'diskImage', 'backgroundImage'])(
    '%s holds an image of another kind (a disk, a picture)',
    (name) => expect(imageKey(name)).toBe('other'),
  );

  it('leaves the decision to the value if meaningless words follow', () => {
    expect(imageKey('VIRT_IMAGE_LAUNCHER')).toBe('perhaps');
  });

  it('knows lists of images', () => {
    expect(['images', 'extraImages', 'RELATED_IMAGES'].every(isImageList)).toBe(true);
    expect(['image', 'imageStreams', undefined].some(isImageList)).toBe(false);
  });

  it('cuts names into words', () => {
    expect(wordsOf('fooBarHTTPServer_x-y.Z')).toEqual(['foo', 'bar', 'http', 'server', 'x', 'y', 'z']);
  });
});
