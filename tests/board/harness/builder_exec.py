# SPDX-License-Identifier: MIT
"""tests/board/builder-exec: one command in the builder root."""

import argparse
import os
import subprocess

from . import board, builder, host, report


def _bind(text):
    """SRC:DST[:ro] as (source, target, mode)."""
    parts = text.split(":")
    if len(parts) == 2:
        parts.append("rw")
    if len(parts) != 3 or parts[2] not in ("ro", "rw") or not parts[1].startswith("/"):
        raise argparse.ArgumentTypeError(f"'{text}' is not SRC:DST, SRC:DST:ro or SRC:DST:rw "
                                         "with an absolute DST")
    if not os.path.isdir(parts[0]):
        raise argparse.ArgumentTypeError(f"'{text}': {parts[0]} is not a folder")
    return tuple(parts)


def main(argv):
    parser = board.Parser(
        prog="tests/board/builder-exec", allow_abbrev=False,
        description="Run COMMAND in the Debian 13 root that builds everything, without a network; "
        "exits with its status.")
    parser.add_argument("--bind", action="append", default=[], type=_bind, metavar="SRC:DST[:ro]",
                        help="show the host's folder SRC at DST")
    parser.add_argument("--chdir", default="/", metavar="DIR", help="start in this folder")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE",
                        help="set an environment variable; the host's own are not passed on")
    parser.add_argument("--root", action="store_true", help="run as root, not as the caller")
    parser.add_argument("command", nargs="*", metavar="COMMAND")
    split = argv.index("--") if "--" in argv else len(argv)
    options = parser.parse_args(argv[:split])
    command = options.command + argv[split + 1:]
    if not command:
        parser.error("no COMMAND given")
    bad = [e for e in options.env if "=" not in e]
    if bad:
        parser.error(f"--env {bad[0]}: wanted NAME=VALUE")
    host.prepare()
    environment = tuple(tuple(e.split("=", 1)) for e in options.env)
    full = builder.command(command, binds=options.bind, directory=options.chdir,
                           root_user=options.root, environment=environment)
    try:
        return subprocess.run(full, check=False).returncode
    except OSError as e:
        raise report.BoardError(f"cannot start {full[0]}: {e.strerror}") from e
