#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In the guest, mini root: the flip clients. Counted between two flips, long after the first lap.

# shellcheck source-path=SCRIPTDIR source=bench.sh
. /share/bench.sh

# 200 buffers of a full panel do not fit into the board's memory.
SMALL=640x400

# flips NAME FROM TO OPTION...
flips()
{
	name=$1 from=$2 to=$3
	shift 3
	measured "$name" scanout-flip "$@" --on-frame "$from:sh /share/mark.sh from" \
		--on-frame "$to:sh /share/mark.sh to"
}

probes_on
flips dumb 20 120 dumb --frames 125
flips foreign 20 120 foreign --frames 125
flips reimport 20 120 reimport --frames 125
# Beyond every limit of the cache, so that each new buffer has another evicted.
flips many 60 160 many --buffers 165 --size "$SMALL"
