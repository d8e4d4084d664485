// The script that prepares a root file system and runs the command in it. It is pid 1 of a pid namespace around the runtime's, so everything ends with it,
// whatever happens to this process. Descriptors: 0 an archive for `t`; 3 is closed to end the script; 4 gets errors before the command starts, and its status.
import { quoted } from './shell.ts';
import { TAR_EXTRACT } from './unpack.ts';

/** Prefix of the last line of the report, before the command's status. */
export const STATUS = 'images: status ';

/** Prefix of messages about an invalid request, as opposed to a problem of the machine. */
export const INVALID = 'images: invalid: ';

/** Functions for the plan. A file system that changes during the walk cannot lead outside: each step is checked after it was made. */
export const SHELL_FUNCTIONS = `
fail() { printf '${INVALID}%s\\n' "$1" >&2; exit 1; }
go() {
  cd -P -- "$1"; here=$PWD; shift
  for part; do
    if [ -L "$part" ] || { [ -e "$part" ] && [ ! -d "$part" ]; }; then fail "the path of a mount leads through a link or a file [$part]"; fi
    [ -d "$part" ] || mkdir -m 755 -- "$part"
    cd -P -- "$part"; here=\${here%/}/$part
    [ "$PWD" = "$here" ] || fail "the path of a mount leads out of it [$part]"
  done
}
read_only() {
  mount -o remount,bind,ro "$1" 2>/dev/null || mount -o remount,bind,ro,nosuid,nodev "$1" 2>/dev/null ||
    mount -o remount,bind,ro,nosuid,nodev,noexec "$1"
}
onto_directory() { source=$1; shift; go "$@"; mount -c -o bind "$source" .; cd "$run"; }
onto_file() {
  source=$1; name=$2; shift 2; go "$@"
  [ ! -L "$name" ] || fail "a symbolic link is in the place of a file [$name]"
  [ -e "$name" ] || : >"$name"
  mount -c -o bind "$source" "./$name"; cd "$run"
}
`;

/** The beginning of the script. `t` holds secrets, so it is private and a tmpfs, which is never written to a disk. */
export const SUPERVISOR: string = `set -e
exec 2>&4
${SHELL_FUNCTIONS}
run=$PWD
mount -t proc -o nosuid,nodev,noexec proc /proc
mkdir t
mount -t tmpfs -o mode=700 images t
cd t; ${TAR_EXTRACT}; cd ..
. ./t/plan
`;

/**
 * The end of the plan: runs the command, and ends with it or when \`3\` is closed. Both outputs share one stream, to keep their order. The command
 * writes to a pipe, because Node gives its children sockets, which cannot be reopened by name (/dev/stdout).
 */
export function supervised(command: string, log: string | undefined): string {
  return `
cd "$run"
trap 'exit 137' TERM
{ cat <&3 >/dev/null; kill -TERM $$; } 4>&- &
{
  status=0
  { exec 2>&1 4>&- 3<&-; ${command}; } </dev/null &
  wait $! || status=$?
  ${log ? `if [ "$status" != 0 ] && [ -s t/${log} ]; then cat t/${log} >&4; fi` : ''}
  echo "${STATUS}$status" >&4
} | cat 4>&- 3<&- &
wait $!
`;
}

/** Arguments of \`go\`: a directory, and the path components from there. */
export function steps(root: string, path: string): string {
  return [root, ...path.split('/').filter((part) => part !== '')].map(quoted).join(' ');
}
