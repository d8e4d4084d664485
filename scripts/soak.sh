#!/bin/sh
# `npm run soak NAME…`: the test files with NAME in their paths, with tests without a natural end forty times as long, or $IMAGES_SOAK times.
if [ $# -eq 0 ]; then
  echo 'usage: npm run soak NAME…   (for example power-cut; docs/testing.md lists them. All tests at that length would take a day.)' >&2
  exit 2
fi
IMAGES_SOAK=${IMAGES_SOAK:-40} exec vitest run "$@"
