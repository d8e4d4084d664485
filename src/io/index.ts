// What is public of io/: streams of bytes as all of this library takes and gives them; verified, compressed, decompressed.
export { type CompressOptions, compressed } from './compression/compress.ts';
export { type Compression, compressionOf } from './compression/compression.ts';
export { decompressed, type UnfoldingLimits } from './compression/decompress.ts';
export type { Backoff } from './concurrency/backoff.ts';
export type { ProcessIdentity } from './concurrency/process-identity.ts';
export type { HttpTimeouts } from './http/http.ts';
export type { TlsFiles } from './http/http-agents.ts';
export type { HttpEvent, OnHttpEvent } from './http/http-event.ts';
export type { ProxySettings } from './http/proxy.ts';
export type { Bytes, CallOptions, OpenContent } from './streams/bytes.ts';
export { type Expected, type Start as VerifyStart, verified } from './streams/verify.ts';
export { ageOf, parseAge } from './text/age.ts';
export { inBinaryUnits, parseSize, SIZE_EXAMPLES } from './text/size.ts';
