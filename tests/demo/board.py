# SPDX-License-Identifier: MIT
"""Have the board built and run: tests/board/build and tests/board/run, with our clock in front."""

import os
import re
import shutil
import subprocess
import threading

from . import progress

HERE = os.path.dirname(os.path.realpath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))
BOARD = os.path.join(REPO, "tests", "board")
GUEST = os.path.join(HERE, "guest")
THEIR_STAMP = re.compile(r"^\[ *\d+s\] (?:board: )?")
BOOT_LIMIT_S = 900


class BoardError(Exception):
    """The board could not be built, or a boot went wrong."""


def _follow(stream, prefix):
    for line in stream:
        line = line.rstrip("\n")
        if THEIR_STAMP.match(line):
            progress.say(prefix + THEIR_STAMP.sub("", line))
        elif line.startswith("demo: "):
            progress.say(prefix + line[len("demo: "):])
        elif line:
            progress.verbatim(line)


def _call(argv, prefix, output=subprocess.PIPE):
    """Run a program of the board's and pass on what it says; returns its status."""
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output,
                          stderr=subprocess.PIPE, text=True, errors="replace") as child:
        threads = [threading.Thread(target=_follow, args=(s, prefix), daemon=True)
                   for s in (child.stdout, child.stderr) if s]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
            return child.wait()
        except BaseException:
            child.terminate()
            child.wait()
            raise


def build(options, *parts):
    # Its output is where the parts are, which only it needs to know.
    status = _call([os.path.join(BOARD, "build"), *options, *parts], "", subprocess.DEVNULL)
    if status:
        raise BoardError(f"tests/board/build {' '.join(parts)} exited with {status}, expected 0")


def build_all(source):
    """Everything that the boots need; the root file system with Weston beside the driver."""
    build(source, "builder")
    problems = []

    def full_root():
        try:
            build(source, "full")
        except BoardError as e:
            problems.append(e)

    beside = threading.Thread(target=full_root, daemon=True)
    beside.start()
    build([*source, "--kernel", "upstream"], "mini")
    build([*source, "--kernel", "ours"], "mini")
    beside.join()
    if problems:
        raise problems[0]


def boot(source, side, rootfs, script, out):
    """Boot once, and run one of our guest scripts; its files are in the folder out afterwards."""
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    status = _call([os.path.join(BOARD, "run"), *source, "--kernel", side, "--rootfs", rootfs,
                    "--timeout", str(BOOT_LIMIT_S), "--share", GUEST, "--out", out, "--",
                    f"sh /share/{script}"], f"{side}: ")
    if status:
        raise BoardError(f"tests/board/run --kernel {side} --rootfs {rootfs} of guest/{script} "
                         f"exited with {status}, expected 0; the console is in {out}/console.log")
