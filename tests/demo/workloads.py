# SPDX-License-Identifier: MIT
"""What is measured, and what each workload stands for. What is run is in guest/*.sh."""

import dataclasses

MARKED, COUNTED, SETTLED, WHOLE = "marked", "counted", "settled", "whole"

# Where a player's pool has been shown for sure: it cycles through 4 to 8 buffers.
COUNTED_FROM = 16
COUNTED_TO_LAST = 8

MANY_MAX_BYTES = 64 << 20
MANY_BUFFERS = 200


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    title: str
    text: str
    rootfs: str
    steady: str             # how the steady part of the trace is found, see measure.py
    only: str | None = None     # the side that alone can run it
    verified: bool = True       # every frame's checksum is compared with the one expected


WORKLOADS = (
    Workload("foreign", "Foreign buffers, handle closed",
             "Three udmabufs, imported once, GEM handle closed after AddFB2: what wlroots, KWin "
             "and GStreamer's kmssink do with every buffer of a client, camera or decoder.",
             "mini", MARKED),
    Workload("reimport", "Foreign buffers, imported again for every frame",
             "Three udmabufs; import, AddFB2, flip, RmFB, close, every time, 25 times a "
             "second: what mpv does.",
             "mini", MARKED),
    Workload("gstreamer", "GStreamer, unmodified: v4l2src ! kmssink",
             "A player as Debian ships it shows dma-bufs that the vivid camera driver made.",
             "full", COUNTED, verified=False),
    Workload("weston", "Weston desktop, pixman renderer",
             "Weston as Debian ships it, with clients that move all the time.",
             "full", SETTLED, verified=False),
    Workload("dumb", "Own buffers, handles kept",
             "Three dumb buffers whose handles stay open: what upstream's counter was made for.",
             "mini", MARKED),
    Workload("multi", "Two planes, two pools",
             "Three foreign buffers on the primary plane, and five on a video overlay at half the "
             "rate.", "mini", MARKED),
    Workload("many", f"{MANY_BUFFERS} foreign buffers, once each",
             "Nothing ever comes back, so nothing can be gained; what is kept must stay below "
             "max_bytes, which is 64 MiB here.", "mini", WHOLE),
    Workload("keep", "80 own buffers, handles kept",
             "A pool of 78 MiB, more than max_bytes, which is 64 MiB here. Upstream keeps all of "
             "it mapped, whatever it is.", "mini", WHOLE),
    Workload("churn", "A new buffer for every frame",
             "Every frame is a buffer that was never seen before, and is freed afterwards: no "
             "cache can help.", "mini", MARKED),
    Workload("foreign-off", "foreign, with max_bytes = 0",
             "The cache is switched off.", "mini", MARKED, only="ours"),
    Workload("reimport-off", "reimport, with max_bytes = 0",
             "The cache is switched off.", "mini", MARKED, only="ours"),
    Workload("dumb-off", "dumb, with max_bytes = 0",
             "The cache is switched off.", "mini", MARKED, only="ours"),
)

SIDES = ("upstream", "ours")


def of(rootfs, side):
    return [w for w in WORKLOADS if w.rootfs == rootfs and w.only in (None, side)]


def named(name):
    return next(w for w in WORKLOADS if w.name == name)
