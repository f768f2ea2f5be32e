# SPDX-License-Identifier: MIT
"""Run the machine: start QEMU, stream the command's output, watch the clock and the console."""

import ctypes
import dataclasses
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from . import report, splat

POWER_OFF_LIMIT_S = 30
TAIL_LINES = 100
PR_SET_PDEATHSIG = 1
CHANNELS = ("console", "output", "control", "monitor")


@dataclasses.dataclass
class Machine:
    kernel: str
    initramfs: str
    dtb: str
    machine: list               # QEMU's arguments that shape the device tree
    append: str
    devices: list               # more arguments
    boot_limit_s: float
    limit_s: float


@dataclasses.dataclass
class Outcome:
    status: int | None          # the command's, or None when it did not get that far
    console: str
    problem: str | None         # why there is no status, or what went wrong after it


def devices(share, out, disk, smmu_trace):
    """QEMU's arguments for what does not belong to the bare machine.

    Everything is virtio-mmio, which bypasses the SMMU: its traffic is the display's alone.
    """
    arguments = ["-device", "virtio-serial-device",
                 "-device", "virtserialport,chardev=output,name=board.out",
                 "-device", "virtserialport,chardev=control,name=board.ctl",
                 "-device", "virtio-rng-device"]
    for tag, folder, readonly in (("share", share, "on"), ("out", out, "off")):
        if folder:
            arguments += ["-fsdev", f"local,id={tag},path={_escape(folder)},security_model=none,"
                          f"readonly={readonly}",
                          "-device", f"virtio-9p-device,fsdev={tag},mount_tag={tag}"]
    if disk:
        arguments += ["-drive", f"file={_escape(disk)},format=raw,if=none,id=root,snapshot=on,"
                      "cache=unsafe", "-device", "virtio-blk-device,drive=root"]
    if smmu_trace:
        arguments += ["-trace", f"smmuv3_cmdq_opcode,file={_escape(smmu_trace)}"]
    return arguments


def _escape(path):
    return path.replace(",", ",,")


def _die_with_parent():
    os.setpgid(0, 0)        # an interrupt in the terminal is for the harness to handle
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Run:
    """One boot. run() returns its Outcome."""

    def __init__(self, machine, console_log):
        self.machine = machine
        self.console = bytearray()
        self.console_log = console_log
        self.control = b""
        self.status = None
        self.started = None
        self.cannot_boot = None
        self.selector = selectors.DefaultSelector()
        self.sockets = {}

    def run(self):
        folder = tempfile.mkdtemp(prefix="board.")
        try:
            with open(self.console_log, "wb", buffering=0) as self.log:
                listeners = {n: self._listen(os.path.join(folder, n)) for n in CHANNELS}
                with open(os.path.join(folder, "qemu.log"), "wb") as errors:
                    qemu = subprocess.Popen(self._command(folder), stdin=subprocess.DEVNULL,
                                            stdout=errors, stderr=errors,
                                            preexec_fn=_die_with_parent)
                try:
                    problem = self._watch(qemu, listeners)
                finally:
                    qemu.kill()
                    qemu.wait()
                if self.status is None and not self.console:
                    problem = f"{problem}; QEMU said: " + report.tail(
                        os.path.join(folder, "qemu.log")).strip()
        finally:
            for one in (*self.sockets.values(), self.selector):
                one.close()
            shutil.rmtree(folder, ignore_errors=True)
        return Outcome(self.status, self.console.decode("utf-8", "replace"), problem)

    @staticmethod
    def _listen(path):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(1)
        return listener

    def _command(self, folder):
        m = self.machine
        argv = ["qemu-system-aarch64", *m.machine, "-display", "none", "-no-reboot",
                "-kernel", m.kernel, "-initrd", m.initramfs, "-dtb", m.dtb, "-append", m.append,
                "-serial", "chardev:console", "-mon", "chardev=monitor,mode=readline"]
        for name in CHANNELS:
            argv += ["-chardev", f"socket,id={name},path={folder}/{name}"]
        return argv + m.devices

    # -----------------------------------------------------------------------------------------

    def _watch(self, qemu, listeners):
        """Serve the machine until it is gone; returns the problem, or None."""
        for name, listener in listeners.items():
            self.selector.register(listener, selectors.EVENT_READ, (name, listener))
        begin = time.monotonic()
        finished = None
        while True:
            now = time.monotonic()
            if qemu.poll() is not None:
                self._drain()
                if self.cannot_boot:
                    return self.cannot_boot
                if self.status is None:
                    when = "ran the command" if self.started else "booted"
                    return f"the machine stopped (QEMU status {qemu.returncode}) while it {when}"
                return None
            if self.status is not None and finished is None:
                finished = now
            if finished and now - finished > POWER_OFF_LIMIT_S:
                return (f"the guest did not power off within {POWER_OFF_LIMIT_S} s "
                        f"of the command's end (its status was {self.status})")
            if not finished and now - begin > self.machine.limit_s:
                self._blocked_tasks()
                return f"timeout: the command did not end within {self.machine.limit_s:.0f} s"
            if not self.started and now - begin > self.machine.boot_limit_s:
                self._blocked_tasks()
                return f"the guest did not boot within {self.machine.boot_limit_s:.0f} s"
            self._serve(0.25)

    def _serve(self, timeout_s):
        for ready, _ in self.selector.select(timeout_s):
            name, what = ready.data
            if name not in self.sockets:
                self.sockets[name], _ = what.accept()
                self.selector.unregister(what)
                what.close()
                self.selector.register(self.sockets[name], selectors.EVENT_READ, (name, None))
                continue
            data = self._receive(self.sockets[name])
            if data:
                self._arrived(name, data)
            else:
                self.selector.unregister(self.sockets[name])

    @staticmethod
    def _receive(connection):
        try:
            return connection.recv(65536)
        except ConnectionError:
            return b""

    def _drain(self):
        """What QEMU wrote before it ended is still in the sockets."""
        while self.selector.get_map() and self.selector.select(0):
            before = len(self.selector.get_map())
            self._serve(0)
            if len(self.selector.get_map()) == before and not self.selector.select(0):
                break

    def _arrived(self, name, data):
        if name == "output":
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        elif name == "console":
            self.console += data
            self.log.write(data)
            if self.cannot_boot is None and b"board: cannot boot: " in data:
                line = data.split(b"board: cannot boot: ", 1)[1].splitlines()[0]
                self.cannot_boot = "cannot boot: " + line.decode("utf-8", "replace").strip()
        elif name == "control":
            self.control += data
            *lines, self.control = self.control.split(b"\n")
            for line in lines:
                if line == b"started":
                    self.started = time.monotonic()
                elif line.startswith(b"exit "):
                    self.status = int(line[5:])

    def _blocked_tasks(self):
        """Make a hanging kernel tell what it is doing: a BREAK and a key on the console."""
        for key in (b"l", b"w"):
            try:
                self.sockets["monitor"].sendall(b"chardev-send-break console\n")
                time.sleep(0.3)
                self.sockets["console"].sendall(key)
            except (KeyError, OSError):
                return
            until = time.monotonic() + 2
            while time.monotonic() < until:
                self._serve(0.25)


def judge(outcome, console_log, allow_splat):
    """Print what went wrong, and return the exit status for it."""
    splats = splat.find(outcome.console)
    shown = [line for block in splats for line in block]
    for line in shown[:400]:
        print(f"console: {line}", file=sys.stderr)
    if outcome.problem or outcome.status is None:
        report.say(outcome.problem or "the command's status is not known")
        print(f"---- the last {TAIL_LINES} lines of {console_log}", file=sys.stderr)
        print("\n".join(outcome.console.splitlines()[-TAIL_LINES:]), file=sys.stderr)
        return 97 if splats and not allow_splat else 98
    if splats and not allow_splat:
        report.say(f"the command's status was {outcome.status}, but the kernel reported "
                   f"{len(splats)} problem(s), see {console_log}")
        return 97
    return outcome.status
