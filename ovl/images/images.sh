#!/bin/sh
##
## images.sh --
##
##   Handles OCI images in "xcluster": starts the program `images`, which takes
##   the same commands. `images.sh help` lists them.
##
exec "$(dirname "$(readlink -f "$0")")/../../bin/images" "$@"
