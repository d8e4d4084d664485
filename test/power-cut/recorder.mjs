// Loaded into the program under test (`node --import`): writes down what each fsync and fdatasync below a directory has made durable. What POSIX promises and no more:
// of a file the bytes that it had before the call, of a directory the entries that it had then. With a journal, the sync of one directory makes durable what all directories had then, and each
// sync of a file notes what the journal may have written by itself. Says another boot id, too. Read by disk.ts.
import fs from 'node:fs';
import { open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

const { POWER_CUT_ROOT: root, POWER_CUT_DISK: disk, POWER_CUT_BOOT: boot, POWER_CUT_JOURNAL: journal } = process.env;
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

let copies = 0;

/** An inode, told from a later one with the same number. */
function identify(path) {
  const { ino, birthtimeNs } = fs.lstatSync(path, { bigint: true });
  return `${ino}-${birthtimeNs}`;
}

function namesIn(path) {
  const entries = fs.readdirSync(path, { withFileTypes: true });
  return entries.map((entry) => [entry.name, identify(join(path, entry.name)), entry.isDirectory()]);
}

/** The entries of all directories at one moment: looked at until two looks see the same, because a name may move in between. */
function allNames() {
  let before;
  for (let looks = 0; looks < 50; looks++) {
    const now = JSON.stringify(below(root));
    if (now === before) break;
    before = now;
  }
  return JSON.parse(before);
}

function below(path) {
  try {
    const entries = namesIn(path);
    const inner = entries.flatMap(([name, , isDirectory]) => (isDirectory ? below(join(path, name)) : []));
    return [[identify(path), entries], ...inner];
  } catch (error) {
    // Removed while it was looked at: the next look sees something else.
    if (error.code === 'ENOENT') return [[String(Math.random()), []]];
    throw error;
  }
}

/** What a sync that begins now makes durable; undefined for what is elsewhere or has gone. */
function seen(fd) {
  try {
    const path = fs.readlinkSync(`/proc/self/fd/${fd}`);
    if (path !== root && !path.startsWith(`${root}/`)) return undefined;
    if (fs.fstatSync(fd).isDirectory()) {
      if (journal) return { kind: 'names', isDurable: true, directories: allNames() };
      return { kind: 'directory', id: identify(path), entries: namesIn(path) };
    }
    copies += 1;
    const copy = `${process.pid}-${copies}`;
    fs.copyFileSync(`/proc/self/fd/${fd}`, join(disk, copy));
    return { kind: 'file', id: identify(path), copy };
  } catch (error) {
    // Removed while it was looked at: another look gives what is there.
    if (error.code === 'ENOENT') return fs.fstatSync(fd).isDirectory() ? seenAgain(fd) : undefined;
    throw error;
  }
}

/** What the kernel says of an ext4 with a journal (object-store/fs-journal.ts). */
function pretendJournal() {
  const { existsSync, readlinkSync, statfsSync } = fs;
  fs.existsSync = (path) => (String(path).startsWith('/proc/fs/jbd2/') ? true : existsSync(path));
  fs.readlinkSync = (path, ...rest) =>
    String(path).startsWith('/sys/dev/block/') ? '../vda' : readlinkSync(path, ...rest);
  fs.statfsSync = (path, ...rest) => Object.assign(statfsSync(path, ...rest), { type: 0xef53 });
}

let depth = 0;

function seenAgain(fd) {
  depth += 1;
  try {
    return depth > 20 ? undefined : seen(fd);
  } finally {
    depth -= 1;
  }
}

function durable(record) {
  if (record?.kind === 'file' && journal) {
    fs.appendFileSync(
      join(disk, 'log'),
      `${JSON.stringify({ kind: 'names', isDurable: false, directories: allNames() })}\n`,
    );
  }
  if (record) fs.appendFileSync(join(disk, 'log'), `${JSON.stringify(record)}\n`);
}

if (root && disk) {
  const probe = await open('/dev/null');
  const handle = Object.getPrototypeOf(probe);
  await probe.close();
  for (const name of ['sync', 'datasync']) {
    const original = handle[name];
    handle[name] = async function () {
      const record = seen(this.fd);
      await original.call(this);
      durable(record);
    };
  }
  for (const name of ['fsync', 'fdatasync']) {
    const original = fs[name];
    fs[name] = (fd, done) => {
      const record = seen(fd);
      original(fd, (error) => {
        if (!error) durable(record);
        done(error);
      });
    };
  }
  if (journal) pretendJournal();
  const { readFileSync } = fs;
  fs.readFileSync = (path, ...rest) => (path === BOOT_ID && boot ? boot : readFileSync(path, ...rest));
  syncBuiltinESMExports();
}
