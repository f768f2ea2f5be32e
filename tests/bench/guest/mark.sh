#!/bin/sh
# SPDX-License-Identifier: MIT
#
# mark.sh NAME: a mark, as a flip client's hook.

# shellcheck source-path=SCRIPTDIR source=bench.sh
. /share/bench.sh
mark "$1"
