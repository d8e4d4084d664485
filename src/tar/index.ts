// What is public of tar/: archives of all dialects, read and written as streams of entries. Pure.
export type { SparsePiece, StoredBytes, TarEntry, TarEntryType, TarHeader } from './entry.ts';
export { compareNames, decodeName, encodeName, printableName } from './names.ts';
export { plainHeader } from './plain-header.ts';
export { readTar, type TarReadOptions } from './reader.ts';
export { formatTime, parseTime, type TarTime, wholeSeconds } from './time.ts';
export { endOfArchive, padding, type TarInput, tarHeader, writeTar } from './writer.ts';
