// The library: everything that is public, from all rooms. Who needs less imports a part of it: `@images-oci/images/tar`.
// Nothing here prints, exits or reads the environment.
export * from './access/index.ts';
export * from './build/index.ts';
export * from './certificates/index.ts';
export * from './copy/index.ts';
export * from './io/index.ts';
export * from './nodes/index.ts';
export * from './observe/index.ts';
export * from './oci/index.ts';
export * from './registry/index.ts';
export * from './rootfs/index.ts';
export * from './scan/index.ts';
export * from './server/index.ts';
export * from './storage/index.ts';
export * from './tar/index.ts';
export * from './tasks/index.ts';
export * from './transports/index.ts';
