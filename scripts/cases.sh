#!/bin/sh
# What `npm run cases [NAME…]` does: runs the acceptance cases that are provided beside the project, where they are.
cd "$(dirname "$0")/.." || exit 1
if ! test -x ../shared/cases/run; then
	echo 'cases: ../shared/cases is not here: skipped'
	exit 0
fi
npm run --silent build && exec ../shared/cases/run "$@"
