// Loaded into the program under test (`node --import`): writes down what each fsync and fdatasync below a directory has made durable. What POSIX promises and no more:
// of a file the bytes that it had before the call, of a directory the entries that it had then. Says another boot id, too. Read by disk.ts.
import fs from 'node:fs';
import { open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

const { POWER_CUT_ROOT: root, POWER_CUT_DISK: disk, POWER_CUT_BOOT: boot } = process.env;
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

let copies = 0;

/** An inode, told from a later one with the same number. */
function identify(path) {
  const { ino, birthtimeNs } = fs.lstatSync(path, { bigint: true });
  return `${ino}-${birthtimeNs}`;
}

/** What a sync that begins now makes durable; undefined for what is elsewhere or has gone. */
function seen(fd) {
  try {
    const path = fs.readlinkSync(`/proc/self/fd/${fd}`);
    if (path !== root && !path.startsWith(`${root}/`)) return undefined;
    if (fs.fstatSync(fd).isDirectory()) {
      const entries = fs.readdirSync(path, { withFileTypes: true });
      const named = entries.map((entry) => [entry.name, identify(join(path, entry.name)), entry.isDirectory()]);
      return { kind: 'directory', id: identify(path), entries: named };
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
  const { readFileSync } = fs;
  fs.readFileSync = (path, ...rest) => (path === BOOT_ID && boot ? boot : readFileSync(path, ...rest));
  syncBuiltinESMExports();
}
