# SPDX-License-Identifier: MIT
"""tests/board/build: build parts of the board without booting it."""

import argparse
import os

from . import board, builder, clients, debian, host, kernels, modules, report, service


def _mini(kernel, options):
    """Everything that a boot of the mini root needs."""
    clients.busybox()
    built = clients.clients()
    modules.tree(kernel(), modules.msm(kernel(), options.kernel, options.msm_variant))
    return built or clients.busybox()


def _full(_kernel, _options):
    from . import full_root
    service.root()
    return full_root.image()


def _arch(name):
    def build(_kernel, _options):
        from . import arches
        return arches.compiled(name)
    return build


def _uml_tree(_kernel, _options):
    from . import source_tree
    return source_tree.laid()


PARTS = {
    "builder": ("the Debian 13 root that builds everything", lambda k, o: builder.root()),
    "msm-upstream": ("upstream's msm.ko", lambda k, o: modules.msm(k(), "upstream",
                                                                   o.msm_variant)),
    "msm-ours": ("our msm.ko", lambda k, o: modules.msm(k(), "ours", o.msm_variant)),
    "model": ("the display model's module", lambda k, o: modules.model(k())),
    "clients": ("the arm64 clients", lambda k, o: clients.clients() or ""),
    "service": ("scanoutd and scanoutctl (arm64), installed", lambda k, o: service.root()),
    "kernel": ("the kernel's image", lambda k, o: k().image),
    "debug-kernel": ("the debug flavour's image",
                     lambda k, o: kernels.find("debug", o.kernel_source).image),
    "kcsan-kernel": ("the image of the one that sees data races",
                     lambda k, o: kernels.find("kcsan", o.kernel_source).image),
    "mini": ("all that the mini root needs", _mini),
    "full": ("the full root's disk image, and what else it gets", _full),
    "source": ("the kernel's whole source, as Debian ships it",
               lambda k, o: debian.whole_source()),
    "arch-arm": ("the driver's objects for arm, compiled without a warning", _arch("arm")),
    "arch-arm64": ("the same for arm64", _arch("arm64")),
    "arch-x86-64": ("the same for x86-64", _arch("x86-64")),
    "arch-without": ("what the patches change, without the cache", _arch("without")),
    "uml-tree": ("a whole kernel tree with kernel/ laid over it", _uml_tree),
}


def main(argv):
    listing = "\n".join(f"  {name:14} {text}" for name, (text, _) in PARTS.items())
    parser = board.Parser(
        prog="tests/board/build", allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Build parts of the board, each of:\n" + listing +
        "\nand print the path of each result, one a line.")
    parser.add_argument("--kernel", choices=("upstream", "ours"), default="ours",
                        help="whose msm.ko is in 'mini'")
    parser.add_argument("--flavour", choices=tuple(board.LIMIT_S), default="release",
                        help="the kernel to build modules for")
    parser.add_argument("--kernel-source", metavar="DIR", help="as for tests/board/run")
    parser.add_argument("--msm-variant", metavar="DIR", help="as for tests/board/run")
    parser.add_argument("what", nargs="+", choices=PARTS, metavar="WHAT")
    options = parser.parse_args(argv)
    for name in ("kernel_source", "msm_variant"):
        if getattr(options, name):
            setattr(options, name, os.path.realpath(getattr(options, name)))
    host.prepare()

    def kernel():
        return kernels.find(options.flavour, options.kernel_source)

    for what in options.what:
        path = PARTS[what][1](kernel, options)
        report.say(f"{what}: done")
        print(path, flush=True)
    return 0
