// Lists the content of a directory, so that two can be compared (as root if owners and devices matter).
import { must } from './process.ts';

const LOOK = [
  `find . -mindepth 1 \\( -type d -printf '%P %y %m %U:%G %T@\\n' -o -printf '%P %y %m %U:%G %T@ %s %n %l\\n' \\) | LC_ALL=C sort`,
  'find . -type f -exec sha256sum {} + | LC_ALL=C sort -k 2',
  "getfattr --absolute-names -P -R -d -m - . 2>/dev/null | grep -v '^$' || true",
].join('; ');

/** Lines for each file: type, mode, owner, time, size, links, target; content; extended attributes. */
export async function describeTree(directory: string): Promise<readonly string[]> {
  return (await must('bash', ['-c', LOOK], { cwd: directory })).split('\n').filter((line) => line !== '');
}

export async function unpack(archive: string, directory: string): Promise<void> {
  await must('mkdir', ['-p', directory]);
  await must('tar', ['-C', directory, '--xattrs', '--xattrs-include=*', '--same-owner', '-xpf', archive]);
}
