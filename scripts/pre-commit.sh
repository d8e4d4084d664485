#!/bin/bash
# What `git commit` checks after `npm run hooks`, in seconds: lint and format of the staged files, then what a staged source can break elsewhere
# (types, generated pages, directions between rooms). It reads the working tree, not the index, and changes no file.
set -euo pipefail
cd "$(git rev-parse --show-toplevel)"
bin=node_modules/.bin
[ -x $bin/biome ] || { echo 'pre-commit: run `npm ci` first' >&2; exit 1; }
mkdir -p node_modules/.cache

fail() {
  echo "pre-commit: $1 (git commit --no-verify commits anyway)" >&2
  exit 1
}
staged() { git diff --cached --name-only --no-renames "$@"; }

mixed=$(comm -12 <(staged --diff-filter=d | sort) <(git diff --name-only | sort))
[ -z "$mixed" ] || printf 'pre-commit: checked with changes that are not staged: %s\n' $mixed >&2

$bin/biome check --staged --no-errors-on-unmatched --log-level=warn || fail 'npm run format mends most of it'
if [ -n "$(staged -- '*.ts' '*.mjs' '*.json')" ]; then
  # The second run takes what has not changed from the first.
  $bin/tsc --noEmit --incremental --tsBuildInfoFile node_modules/.cache/pre-commit.tsbuildinfo || fail 'npm run types says the same'
fi
[ -n "$(staged -- src test/structure '*.md')" ] || exit 0

$bin/node scripts/docs.mjs --check || fail 'npm run docs writes it anew'
# Without those that start a compiler of their own.
$bin/vitest run rooms.test links.test versions.test doctor-rules.test --project all --reporter=dot --silent >node_modules/.cache/pre-commit.log 2>&1 ||
  { cat node_modules/.cache/pre-commit.log >&2; fail 'npx vitest run test/structure says the same'; }
