# SPDX-License-Identifier: MIT
"""From a request to a running board: choose the parts, build what is missing, boot."""

import argparse
import os
import shlex
import shutil
import signal
import sys

from . import cache, dtb, host, initramfs, kernels, modules, qemu, report

USAGE = "tests/board/run [OPTION]... -- COMMAND..."
MIB = 1 << 20
LIMIT_S = {"release": 300, "debug": 900, "kcsan": 900}
BOOT_LIMIT_S = {("release", "mini"): 120, ("release", "full"): 180,
                ("debug", "mini"): 300, ("debug", "full"): 600,
                ("kcsan", "mini"): 300, ("kcsan", "full"): 600}
MEMORY_MIB = {"release": 1024, "debug": 2048, "kcsan": 2048}


class Parser(argparse.ArgumentParser):
    """A bad request is the harness's own failure, not the command's."""

    def error(self, message):
        self.print_usage(sys.stderr)
        self.exit(99, f"{self.prog}: error: {message}\n")


def parse(argv):
    parser = Parser(
        prog="tests/board/run", usage=USAGE, allow_abbrev=False,
        description="Boot the emulated board and run COMMAND there, as root. Exits with its "
        "status; 97: the kernel reported a problem; 98: no boot, a hang or a timeout; 99: the "
        "harness itself failed.")
    parser.add_argument("--kernel", choices=("upstream", "ours"), default="ours",
                        help="whose msm.ko (default: %(default)s)")
    parser.add_argument("--flavour", choices=tuple(LIMIT_S), default="release",
                        help="Debian's own kernel, one with every checker, or one that sees data "
                        "races (default: release)")
    parser.add_argument("--rootfs", choices=("mini", "full"), default="mini",
                        help="busybox and our clients, or Debian with systemd (default: mini)")
    parser.add_argument("--kernel-source", metavar="DIR",
                        help="build the kernel and msm from this Linux tree, not from Debian's")
    parser.add_argument("--msm-variant", metavar="DIR",
                        help="apply DIR/*.patch and the options in DIR/config to msm")
    parser.add_argument("--timeout", type=float, metavar="SECONDS",
                        help="limit from power-on to the command's end (default: "
                        f"{LIMIT_S['release']}, others {LIMIT_S['debug']})")
    parser.add_argument("--share", metavar="DIR", help="host folder to be seen at /share")
    parser.add_argument("--out", metavar="DIR",
                        help="host folder, writable at /out; console.log goes here too")
    parser.add_argument("--smmu-trace", metavar="FILE",
                        help="log every command that the SMMU gets to this file")
    parser.add_argument("--append", default="", metavar="ARGS", help="more kernel arguments")
    parser.add_argument("--no-model-load", action="store_true",
                        help="load neither the display model nor msm")
    parser.add_argument("--no-leak-check", action="store_true",
                        help="debug flavour: do not scan for leaks after the command")
    parser.add_argument("--allow-splat", action="store_true",
                        help="print what the kernel reports, but do not exit 97 for it")
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="one shell text, or words")
    # Everything after -- is the command's, even what looks like an option.
    split = argv.index("--") if "--" in argv else len(argv)
    options = parser.parse_args(argv[:split])
    words = options.command + argv[split + 1:]
    if not words:
        parser.error("no COMMAND given")
    options.command = words[0] if len(words) == 1 else shlex.join(words)
    for name in ("share", "out", "kernel_source", "msm_variant"):
        value = getattr(options, name)
        if value and name == "out":
            os.makedirs(value, exist_ok=True)
        if value and not os.path.isdir(value):
            parser.error(f"--{name.replace('_', '-')} {value}: not a folder")
        if value:
            setattr(options, name, os.path.realpath(value))
    if options.smmu_trace:
        options.smmu_trace = os.path.realpath(options.smmu_trace)
    if options.timeout is not None and options.timeout <= 0:
        parser.error(f"--timeout {options.timeout:g}: wanted more than 0 seconds")
    return options


def machine_arguments(memory_mib):
    """What shapes the device tree. Two bus masters behind the SMMU: edu for tests, and the LSI,
    with which the display model reads memory as the display would."""
    return ["-nodefaults", "-machine", "virt,iommu=smmuv3,gic-version=3", "-cpu", "cortex-a72",
            "-smp", "2", "-m", f"{memory_mib}M", "-global", "virtio-mmio.force-legacy=false",
            "-device", "edu,dma_mask=0xffffffff", "-device", "lsi53c895a"]


def kernel_arguments(options):
    arguments = ["console=ttyAMA0", "earlycon",
                 # Qualcomm's SMMU driver gives the display an identity domain; so does this.
                 "iommu.passthrough=1",
                 # A machine without VBIOS and network has nothing to wait for after an oops.
                 "panic=-1", "oops=panic", "sysrq_always_enabled=1",
                 # An emulated CPU on a busy host is slow, not stuck.
                 "watchdog_thresh=60", "rcupdate.rcu_cpu_stall_timeout=120", "psi=1"]
    if options.flavour == "debug":
        # Slab debugging switches the allocator's per-CPU sheaves off: the stale pointers in them
        # hide leaks from kmemleak.
        arguments += ["kmemleak=on", "slab_debug=Z", "iommu.debug_pagealloc=1"]
    if options.flavour == "kcsan":
        # The guest says first whose races it wants to hear of.
        arguments += ["kcsan.early_enable=0"]
    if options.rootfs == "full":
        arguments += ["systemd.unit=board.target", "systemd.show_status=false",
                      "systemd.log_level=notice", "apparmor=0"]
    return " ".join(arguments + ([options.append] if options.append else []))


def run(options):
    host.prepare()
    kernel = kernels.find(options.flavour, options.kernel_source)
    msm = modules.msm(kernel, options.kernel, options.msm_variant)
    tree = modules.tree(kernel, msm)
    disk = None
    if options.rootfs == "full":
        from . import full_root
        disk = full_root.image()
    memory = MEMORY_MIB[options.flavour]
    machine = machine_arguments(memory)
    blob = dtb.build(machine, memory * MIB)
    work = cache.scratch("run")
    try:
        archive = os.path.join(work, "initramfs")
        initramfs.write(archive, tree, _settings(options), options.command,
                        options.rootfs == "full")
        limit = options.timeout or LIMIT_S[options.flavour]
        console_log = os.path.join(options.out or cache.path("logs"),
                                   "console.log" if options.out else f"console-{os.getpid()}.log")
        os.makedirs(os.path.dirname(console_log), exist_ok=True)
        report.say(f"booting {kernels.describe(kernel)}, msm {options.kernel}, "
                   f"{options.rootfs} root, limit {limit:.0f} s")
        outcome = qemu.Run(qemu.Machine(
            kernel=kernel.image, initramfs=archive, dtb=blob, machine=machine,
            append=kernel_arguments(options),
            devices=qemu.devices(options.share, options.out, disk, options.smmu_trace),
            boot_limit_s=min(limit, BOOT_LIMIT_S[options.flavour, options.rootfs]), limit_s=limit),
            console_log).run()
        status = qemu.judge(outcome, console_log, options.allow_splat)
        if not options.out and status == outcome.status:
            os.unlink(console_log)
        return status
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _settings(options):
    def answer(value):
        return "yes" if value else "no"
    return {"ROOTFS": options.rootfs, "LOAD_DISPLAY": answer(not options.no_model_load),
            "SHARE": answer(options.share), "OUT": answer(options.out),
            "LEAK_CHECK": answer(options.flavour == "debug" and not options.no_leak_check)}


def _interrupt(number, _frame):
    raise KeyboardInterrupt(number)


def guarded(main, argv):
    """Run main(argv); a harness failure becomes a message and status 99."""
    # Being told to end must end QEMU and builds too, as an interrupt does.
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        sys.exit(main(argv))
    except report.BoardError as e:
        report.say(str(e))
        sys.exit(99)
    except KeyboardInterrupt:
        report.say("interrupted")
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output is gone; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


def run_main(argv):
    return run(parse(argv))
