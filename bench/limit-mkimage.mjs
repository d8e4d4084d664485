// The physical limit that `images mkimage` is measured against: a bare script that reads the archive, hashes it, compresses it on all processors, hashes what comes out and writes it.
// No archive is parsed, no script run, nothing looked up or remembered. Tuned: large pieces, one read ahead, one write under way.
// Usage: node limit-mkimage.mjs ARCHIVE OUT [LEVEL]
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { constants, deflateRaw } from 'node:zlib';

const PIECE = 1 << 20;
const [archive, out, level = '1'] = process.argv.slice(2);
const deflate = promisify(deflateRaw);
const options = { level: Number(level), memLevel: 9, finishFlush: constants.Z_SYNC_FLUSH, chunkSize: PIECE / 2 };
const [source, target] = await Promise.all([open(archive), open(out, 'w')]);
const [plain, packed] = [createHash('sha256'), createHash('sha256')];
const underWay = [];
let writing = Promise.resolve();
let position = 0;

const next = () => source.read(Buffer.allocUnsafeSlow(PIECE), 0, PIECE);
for (let reading = next(); ; ) {
  const { buffer, bytesRead } = await reading;
  if (bytesRead === 0) break;
  reading = next();
  const piece = buffer.subarray(0, bytesRead);
  underWay.push(deflate(piece, options));
  plain.update(piece);
  if (underWay.length > availableParallelism()) await keep(await underWay.shift());
}
for (const piece of underWay) await keep(await piece);
await writing;
await Promise.all([source.close(), target.close()]);

async function keep(piece) {
  packed.update(piece);
  await writing;
  writing = target.write(piece, 0, piece.length, position);
  position += piece.length;
}
