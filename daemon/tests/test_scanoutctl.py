#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""scanoutctl, against a tree of files, a service and a bus of its own.

usage: test_scanoutctl.py SCANOUTCTL SCANOUTD
"""

import configparser
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unicodedata
import unittest
import xml.dom.minidom

CTL, DAEMON = sys.argv[1:3]
UNIT = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "../../systemd/scanoutd.service.in")
MIB = 1 << 20
ZEROES = """active_bytes active_entries idle_bytes idle_entries quarantined_bytes flips hits misses
    inserts evictions evictions_age evictions_pressure invalidations map_ns unmap_ns
    generation""".split()


def end_session(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Scanoutctl(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="scanoutctl-")
        self.addCleanup(shutil.rmtree, self.root)
        self.cache = f"{self.root}/class/drm/card0/device/scanout_cache"
        os.makedirs(self.cache)
        for name in ZEROES:
            self.write(name, 0)
        self.write("max_bytes", 128 * MIB)
        self.write("max_entries", 32)
        self.write("idle_timeout_ms", 10000)
        self.write("import_linger_ms", 1000)
        self.write("policy", "lru [adaptive]")
        self.write("trim", "")
        self.write("reuse_depth", " ".join(["0"] * 34))
        self.write("reuse_bytes", " ".join(["0"] * 43))
        self.bus = "unix:path=/nonexistent"

    def write(self, name, value):
        with open(f"{self.cache}/{name}", "w", encoding="ascii") as file:
            file.write(f"{value}\n")

    def read(self, name):
        with open(f"{self.cache}/{name}", encoding="ascii") as file:
            return file.read().strip()

    def start(self):
        daemon = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--print-address=1"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.bus_daemon = daemon
        self.bus = daemon.stdout.readline().strip()
        self.addCleanup(daemon.stdout.close)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.terminate)
        self.start_service()

    def start_service(self):
        self.service = subprocess.Popen(
            [DAEMON, f"--sysfs-root={self.root}", f"--bus={self.bus}",
             f"--config-root={self.root}"], stderr=subprocess.DEVNULL)
        self.addCleanup(self.service.wait)
        self.addCleanup(self.service.terminate)
        self.eventually(lambda: self.ctl("list-holds").returncode == 0)

    def eventually(self, condition):
        for _ in range(100):
            if condition():
                return
            time.sleep(0.05)
        self.fail("it does not happen")

    def command(self, *arguments):
        return [CTL, f"--sysfs-root={self.root}", f"--bus={self.bus}",
                f"--config-root={self.root}", *arguments]

    def ctl(self, *arguments, before=()):
        return subprocess.run([*before, *self.command(*arguments)], capture_output=True, text=True,
                              timeout=60, check=False)

    def holds(self):
        result = self.ctl("--json=short", "list-holds")
        return json.loads(result.stdout) if result.returncode == 0 else None

    def test_status_without_service(self):
        result = self.ctl("status")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("unmanaged", result.stdout)
        data = json.loads(self.ctl("--json=short", "status").stdout)
        self.assertEqual(data[0]["max_bytes"], 128 * MIB)
        self.assertEqual(data, json.loads(self.ctl("--json=pretty", "status").stdout))

    def test_status_with_service(self):
        self.start()
        data = json.loads(self.ctl("--json=short", "status").stdout)
        self.assertEqual(data[0]["state"], "tuning")

    def test_an_older_kernel_is_named(self):
        other = self.cache.replace("card0", "card1")
        shutil.copytree(self.cache, other)
        os.unlink(f"{self.cache}/reuse_depth")
        os.unlink(f"{other}/trim")
        missing = (f"{self.cache}/reuse_depth: ", f"{other}/trim: ")
        result = self.ctl("status")
        self.assertEqual(result.returncode, 3)
        self.assertNotIn("no DRM device", result.stderr)
        with subprocess.Popen([DAEMON, f"--sysfs-root={self.root}", "--bus=none",
                               f"--config-root={self.root}"], stderr=subprocess.PIPE,
                              text=True) as service:
            log = [service.stderr.readline() for _ in missing]
            service.terminate()
        for text in missing:
            self.assertIn(text, result.stderr)
            self.assertIn(text, "".join(log))
            self.assertIn(text, self.ctl("doctor").stdout)

    def test_a_recording_is_of_one_cache(self):
        path = f"{self.root}/trace"
        self.assertEqual(self.ctl("--cache=card7", "record", path).returncode, 3)
        shutil.copytree(self.cache, self.cache.replace("card0", "card1"))
        result = self.ctl("record", path)
        self.assertEqual(result.returncode, 2)
        self.assertIn("say which, as in --cache=card0", result.stderr)
        self.assertFalse(os.path.exists(path))

    def test_exit_statuses(self):
        self.assertEqual(self.ctl("nonsense").returncode, 2)
        self.assertEqual(self.ctl("--json=odd", "status").returncode, 2)
        self.assertEqual(self.ctl("--cache=card7", "status").returncode, 3)
        self.assertEqual(self.ctl("list-holds").returncode, 4)
        self.assertEqual(self.ctl("resume").returncode, 4)
        self.assertEqual(self.ctl("replay", "/nonexistent").returncode, 1)

    def test_wrong_usage_does_not_restart_the_service(self):
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str
        unit.read(UNIT, encoding="utf-8")
        never = unit["Service"].get("RestartPreventExitStatus", "").split()
        for wrong in ("--odd", "odd", "--bus", "-x"):
            result = subprocess.run([DAEMON, wrong], capture_output=True, text=True, check=False)
            self.assertIn(str(result.returncode), never, wrong)
            self.assertNotEqual(result.stderr, "")
        # Whatever else ends it at once: systemd gives up before its interval is over.
        starts = int(unit["Unit"]["StartLimitBurst"]) * int(unit["Service"]["RestartSec"])
        self.assertLess(starts, int(unit["Unit"]["StartLimitIntervalSec"]))

    def test_set_and_trim(self):
        self.assertEqual(self.ctl("set", "max_bytes=64M", "max_entries=9").returncode, 0)
        self.assertEqual(self.read("max_bytes"), str(64 * MIB))
        self.assertEqual(self.read("max_entries"), "9")
        for bad in ("max_bytes=64Q", "max_entries=1K", "max_byte=1", "max_bytes"):
            result = self.ctl("set", bad)
            self.assertEqual(result.returncode, 2, bad)
            self.assertIn("accepted", result.stderr)
        for bad in ("max_bytes=64Q", "max_entries=65537", "max_bytes=1025M", "max_byte=1"):
            for arguments in (["max_bytes=1M", "max_entries=1", bad], [bad, "max_entries=1"]):
                self.assertEqual(self.ctl("set", *arguments).returncode, 2, bad)
                self.assertEqual(self.read("max_bytes"), str(64 * MIB))
                self.assertEqual(self.read("max_entries"), "9")
        self.assertEqual(self.ctl("trim", "4M").returncode, 0)
        self.assertEqual(self.read("trim"), str(4 * MIB))

    def test_hold_lasts_as_long_as_its_command(self):
        self.start()
        inner = [CTL, f"--bus={self.bus}", "--json=short", "list-holds"]
        result = self.ctl("hold", "--min-bytes=1M", "--reason=a \"film\"", "--", *inner)
        self.assertEqual(result.returncode, 0, result.stderr)
        holds = json.loads(result.stdout)
        self.assertEqual([(h["min_bytes"], h["reason"]) for h in holds], [(MIB, 'a "film"')])
        self.assertEqual(json.loads(self.ctl("--json=short", "list-holds").stdout), [])
        self.assertEqual(self.ctl("hold", "--reason=x", "--", "sh", "-c", "exit 7").returncode, 7)
        self.assertEqual(self.ctl("hold", "--reason=x", "--", "/nonexistent").returncode, 127)
        self.assertEqual(self.ctl("hold", "--", "true").returncode, 2)

    def hold(self, script):
        """A hold with a script of the shell, which has said that it runs."""
        command = self.command("hold", "--min-bytes=1M", "--reason=x", "--", "sh", "-c", script)
        # pylint: disable-next=consider-using-with
        hold = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, start_new_session=True)
        self.addCleanup(hold.stderr.close)
        self.addCleanup(hold.stdout.close)
        self.addCleanup(hold.wait)
        self.addCleanup(end_session, hold.pid)
        self.assertEqual(hold.stdout.readline(), "ready\n")
        return hold

    def test_signals_reach_the_command_of_a_hold(self):
        self.start()
        for number, name in ((signal.SIGTERM, "TERM"), (signal.SIGINT, "INT"),
                             (signal.SIGHUP, "HUP")):
            hold = self.hold(f"trap 'echo got {name}; exit 7' {name}; echo ready; "
                             "while :; do sleep 0.05; done")
            hold.send_signal(number)
            self.assertEqual(hold.wait(10), 7, name)
            self.assertEqual(hold.stdout.readline(), f"got {name}\n")
        hold = self.hold("echo ready; kill -KILL $$")
        self.assertEqual(hold.wait(10), 128 + 9)
        self.eventually(lambda: self.holds() == [])

    def test_what_the_terminal_sends_is_for_the_command(self):
        self.start()
        script = ("trap 'echo got it' INT; echo ready; i=0; while [ $i -lt 20 ]; do "
                  "sleep 0.05; i=$((i + 1)); done; exit 7")
        pid, terminal = pty.fork()
        if not pid:
            command = self.command("hold", "--reason=x", "--", "sh", "-c", script)
            os.execv(command[0], command)
        text = b""
        while b"ready" not in text:
            text += os.read(terminal, 100)
        os.write(terminal, b"\003")
        try:
            while part := os.read(terminal, 100):
                text += part
        except OSError:
            pass  # what a terminal says that nobody has open any more
        status = os.waitpid(pid, 0)[1]
        os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(status), 7)
        self.assertEqual(text.count(b"got it"), 1)

    def test_hold_is_there_again_when_the_service_is(self):
        self.start()
        hold = self.hold("echo ready; exec sleep 100")
        for number in (signal.SIGTERM, signal.SIGKILL):
            self.assertEqual(len(self.holds()), 1)
            self.service.send_signal(number)
            self.service.wait()
            self.assertIn("nothing is held", hold.stderr.readline())
            self.start_service()
            self.assertIn("held again", hold.stderr.readline())
            self.assertEqual([(h["min_bytes"], h["reason"]) for h in self.holds()], [(MIB, "x")])

    def test_holder_is_told_when_the_bus_goes(self):
        self.start()
        hold = self.hold("echo ready; sleep 3; exit 5")
        self.bus_daemon.kill()
        self.assertIn("nothing is held", hold.stderr.readline())
        self.assertEqual(hold.wait(10), 5)

    def test_one_that_hangs_is_told_from_one_that_is_absent(self):
        def each(service, status):
            for arguments in (["resume"], ["list-holds"], ["hold", "--reason=x", "--", "true"],
                              ["status"], ["doctor"]):
                begin = time.monotonic()
                result = self.ctl(*arguments)
                # Within two, but for what a busy machine takes; by itself D-Bus waits 25.
                self.assertLess(time.monotonic() - begin, 10, arguments)
                self.assertIn(service, result.stderr + result.stdout)
                if arguments[0] not in ("status", "doctor"):
                    self.assertEqual(result.returncode, status, arguments)

        self.start()
        self.service.send_signal(signal.SIGSTOP)
        self.addCleanup(self.service.send_signal, signal.SIGCONT)
        each("does not answer", 5)
        state = json.loads(self.ctl("--json=short", "status").stdout)[0]["state"]
        self.assertEqual(state, "unknown")
        self.service.kill()
        self.service.wait()
        each("is not running", 4)
        self.bus_daemon.send_signal(signal.SIGSTOP)
        self.addCleanup(self.bus_daemon.send_signal, signal.SIGCONT)
        each("not answer", 5)

    def test_nothing_steers_the_terminal(self):
        # C0, C1, DEL, directions, lines, and bytes that are no text.
        nasty = "\033[2J\u009b2J\u007f\u202e\u2066\u061c\u2028\udc9b"
        raw = os.fsencode(nasty)
        tree = f"{self.root}/{nasty}"
        shutil.copytree(f"{self.root}/class", f"{tree}/class")
        os.makedirs(f"{tree}/etc")
        with open(f"{tree}/etc/scanoutd.conf", "wb") as file:
            file.write(b"[Tuner]\nMaxBytes=1" + raw + b"\n" + raw + b"=1\n[" + raw + b"]\na=1\n")
        with open(f"{tree}/trace", "wb") as file:
            file.write(b"# scanout-trace 1\n" + raw + b"\n")
        own = [CTL, f"--sysfs-root={tree}", f"--config-root={tree}", f"--bus={self.bus}"]
        with open(f"{tree}/class/drm/card0/device/scanout_cache/flips", "wb") as file:
            file.write(raw + b"\n")
        for command in ([*own, "status"], [*own, "doctor"], [*own, nasty], [*own, "set", nasty],
                        [*own, "set", f"max_bytes={nasty}"], [*own, f"--json={nasty}"],
                        [*own, "replay", f"{tree}/trace"],
                        [*own, "hold", "--reason=x", f"--min-bytes={nasty}"],
                        [DAEMON, f"--sysfs-root={tree}", f"--config-root={tree}",
                         f"--bus=unix:path={tree}/bus"]):
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as run:
                time.sleep(0.3 if command[0] == DAEMON else 0)
                if command[0] == DAEMON:
                    run.terminate()
                self.assert_harmless(run.stdout.read(), command)
        self.write("flips", 0)
        shutil.copy(f"{self.cache}/flips", f"{tree}/class/drm/card0/device/scanout_cache/flips")
        result = subprocess.run([*own, "--json=short", "status"], capture_output=True, check=True)
        self.assert_harmless(result.stdout, "JSON")
        self.assertIn(nasty[:-1], json.loads(result.stdout)[0]["path"])

    def assert_harmless(self, output, what):
        text = output.decode()
        self.assertTrue(text, what)
        bad = [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")]
        self.assertEqual(bad, [], what)

    def test_top_writes_json_lines(self):
        with subprocess.Popen([CTL, f"--sysfs-root={self.root}", f"--bus={self.bus}", "top"],
                              stdout=subprocess.PIPE, text=True) as top:
            lines = [json.loads(top.stdout.readline()) for _ in range(2)]
            top.terminate()
        self.assertNotIn("new_flips", lines[0][0])
        self.assertEqual(lines[1][0]["new_flips"], 0)

    def test_metrics(self):
        self.write("map_ns", 1500000000)
        lines = self.ctl("metrics").stdout.splitlines()
        self.assertEqual(lines[-1], "# EOF")
        self.assertIn('msm_scanout_cache_map_seconds_total{card="card0"} 1.500000000', lines)
        self.assertIn('msm_scanout_cache_max_bytes{card="card0"} 134217728', lines)

    def add_second(self):
        """Another cache, with figures of its own."""
        second = self.cache.replace("card0", "card1")
        shutil.copytree(self.cache, second)
        for name, value in (("max_bytes", 64 * MIB), ("flips", 7)):
            with open(f"{second}/{name}", "w", encoding="ascii") as file:
                file.write(f"{value}\n")
        return second

    def read_both(self, second, name):
        with open(f"{second}/{name}", encoding="ascii") as file:
            return self.read(name), file.read().strip()

    def test_two_caches_are_shown(self):
        self.add_second()
        data = json.loads(self.ctl("--json=short", "status").stdout)
        self.assertEqual([(c["cache"], c["max_bytes"], c["flips"]) for c in data],
                         [("card0", 128 * MIB, 0), ("card1", 64 * MIB, 7)])
        data = json.loads(self.ctl("--json=short", "--cache=card1", "status").stdout)
        self.assertEqual([c["cache"] for c in data], ["card1"])
        lines = self.ctl("metrics").stdout.splitlines()
        self.assertIn('msm_scanout_cache_flips_total{card="card0"} 0', lines)
        self.assertIn('msm_scanout_cache_flips_total{card="card1"} 7', lines)
        self.assertEqual(lines.count("# TYPE msm_scanout_cache_flips counter"), 1)
        result = self.ctl("doctor").stdout
        self.assertIn("scanout cache: card0", result)
        self.assertIn("scanout cache: card1", result)

    def test_of_two_caches_one_is_changed(self):
        second = self.add_second()
        for command in (["set", "max_bytes=32M"], ["trim"], ["doctor", "--hardware"]):
            result = self.ctl(*command)
            self.assertEqual(result.returncode, 2, command)
            self.assertIn("--cache=card0", result.stderr)
        self.assertEqual(self.read_both(second, "max_bytes"), (str(128 * MIB), str(64 * MIB)))
        self.assertEqual(self.ctl("--cache=card1", "set", "max_bytes=32M").returncode, 0)
        self.assertEqual(self.read_both(second, "max_bytes"), (str(128 * MIB), str(32 * MIB)))
        self.assertEqual(self.ctl("--cache=card0", "trim", "4M").returncode, 0)
        self.assertEqual(self.read_both(second, "trim"), (str(4 * MIB), ""))

    def test_of_two_caches_one_is_resumed(self):
        second = self.add_second()
        for cache in (self.cache, second):
            with open(f"{cache}/max_bytes", "w", encoding="ascii") as file:
                file.write("0\n")
        self.start()
        self.assertEqual(self.ctl("--cache=card1", "resume").returncode, 0)
        data = json.loads(self.ctl("--json=short", "status").stdout)
        self.assertEqual([c["state"] for c in data], ["external", "tuning"])

    def test_how_a_command_ended_is_told(self):
        self.start()
        result = self.ctl("hold", "--reason=x", "--", "sh", "-c", "kill -KILL $$")
        self.assertEqual(result.returncode, 128 + 9)
        self.assertEqual(self.ctl("hold", "--reason=x", "--", self.root).returncode, 126)

    def test_top_counts_from_the_line_before(self):
        self.write("flips", 100)
        with subprocess.Popen([CTL, f"--sysfs-root={self.root}", f"--bus={self.bus}", "top"],
                              stdout=subprocess.PIPE, text=True) as top:
            top.stdout.readline()
            self.write("flips", 103)
            new = [json.loads(top.stdout.readline())[0]["new_flips"] for _ in range(2)]
            top.terminate()
        self.assertEqual(sorted(new), [0, 3])

    def test_figures_of_others(self):
        """What only root may read comes from the service."""
        self.write("flips", 7)
        self.start()
        for name in (*ZEROES[:-1], "reuse_depth", "reuse_bytes"):
            os.chmod(f"{self.cache}/{name}", 0)
        os.chmod(self.cache, 0o311)
        self.addCleanup(os.chmod, self.cache, 0o755)
        # Root may read everything, but for who has given that up.
        others = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
        others = others if os.geteuid() == 0 else []
        result = self.ctl("--json=short", "status", before=others)
        self.assertEqual(result.returncode, 0, result.stderr)
        data = json.loads(result.stdout)[0]
        self.assertEqual((data["flips"], data["max_entries"], data["state"]), (7, 32, "tuning"))
        self.assertIn('_flips_total{card="card0"} 7', self.ctl("metrics", before=others).stdout)
        self.assertIn("ok       scanout cache", self.ctl("doctor", before=others).stdout)
        self.service.terminate()
        self.service.wait()
        result = self.ctl("status", before=others)
        self.assertEqual(result.returncode, 4)
        self.assertIn("only root may read its figures; scanoutd, which tells them to everybody, "
                      "is not running", result.stderr)

    def test_replay(self):
        path, svg = f"{self.root}/trace", f"{self.root}/plot.svg"
        with open(path, "w", encoding="ascii") as file:
            print("# scanout-trace 1", file=file)
            for i in range(600):
                print(f"{i * 16667} use {i % 4} 8294400", file=file)
                if i:
                    print(f"{i * 16667} idle {(i - 1) % 4}", file=file)
        result = self.ctl("--json=short", "replay", f"--svg={svg}", path)
        self.assertEqual(result.returncode, 0, result.stderr)
        for policy in json.loads(result.stdout):
            self.assertEqual((policy["hits"], policy["misses"]), (596, 4), policy["policy"])
        # Three are idle: with room for two, in order of age, there are no hits at all.
        data = json.loads(self.ctl("--json=short", "replay", "--max-bytes=16M", path).stdout)
        hits = {policy["policy"]: policy["hits"] for policy in data}
        self.assertEqual(hits["lru"], 0)
        self.assertGreater(hits["belady"], 300)
        self.assertEqual(xml.dom.minidom.parse(svg).documentElement.tagName, "svg")
        with open(path, "a", encoding="ascii") as file:
            print("1 use 1 1", file=file)
        result = self.ctl("replay", path)
        self.assertEqual(result.returncode, 1)
        self.assertIn("trace:1201: '1 use 1 1': goes back in time", result.stderr)

    def complete(self, *words):
        script = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])),
                              "../ctl/scanoutctl.bash")
        line = " ".join(f"'{word}'" for word in words)
        result = subprocess.run(
            ["bash", "-c", f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; "
             "_scanoutctl; echo \"${COMPREPLY[@]}\""],
            capture_output=True, text=True, check=True)
        self.assertEqual(result.stderr, "")
        return result.stdout.split()

    def test_completion(self):
        self.assertEqual(self.complete("scanoutctl", "re"), ["resume", "record", "replay"])
        self.assertEqual(self.complete("scanoutctl", "--json", "p"), ["pretty"])
        self.assertEqual(self.complete("scanoutctl", "set", "max_b"), ["max_bytes="])
        self.assertEqual(self.complete("scanoutctl", "replay", "--policy", "t"), ["tuned"])
        offered = set(self.complete("scanoutctl", ""))
        help_text = self.ctl("--help").stdout
        commands = {line.split()[0] for line in help_text.splitlines()
                    if line.startswith("  ") and line[2].isalpha()}
        self.assertLessEqual(commands, offered)

    def test_doctor_says_what_is_wrong(self):
        os.makedirs(f"{self.root}/etc")
        with open(f"{self.root}/etc/scanoutd.conf", "w", encoding="ascii") as file:
            file.write("[Tuner]\nMaxBytes=much\n")
        result = self.ctl("doctor")
        self.assertEqual(result.returncode, 1)
        self.assertIn("etc/scanoutd.conf:2: MaxBytes=much", result.stdout)
        self.assertIn("scanoutd is not running", result.stdout)
        self.write("max_bytes", 0)
        self.assertIn("switched off", self.ctl("doctor").stdout)

    def hardware(self, **growth):
        """Run doctor --hardware while counters grow by so much in 50 ms."""
        for name in growth:
            self.write(name, 100000)
        stop = threading.Event()

        def grow():
            value = dict.fromkeys(growth, 100000)
            while not stop.wait(0.05):
                for name, step in growth.items():
                    value[name] += step
                    # In place, as sysfs: who has the file open sees it.
                    with open(f"{self.cache}/{name}", "r+", encoding="ascii") as file:
                        file.write(f"{value[name]}\n")

        thread = threading.Thread(target=grow)
        thread.start()
        try:
            return self.ctl("doctor", "--hardware")
        finally:
            stop.set()
            thread.join()

    def test_hardware_that_works(self):
        result = self.hardware(flips=3, hits=3)
        self.assertNotIn("FAILED   flips", result.stdout)
        self.assertRegex(result.stdout, r"ok +flips: \d+ in 10 s")
        self.assertRegex(result.stdout, r"ok +lookups: \d+ hits and 0 misses")
        self.assertEqual(self.read("trim"), "0")

    def test_hardware_that_maps_at_every_flip(self):
        result = self.hardware(flips=3, misses=3, inserts=3, map_ns=3000)
        self.assertEqual(result.returncode, 1)
        self.assertIn("FAILED   lookups", result.stdout)
        self.assertIn("a map took 1 us on average", result.stdout)

    def test_hardware_on_which_nothing_flips(self):
        result = self.hardware()
        self.assertEqual(result.returncode, 1)
        self.assertIn("play a film", result.stdout)


if __name__ == "__main__":
    # Who starts this may ignore them, as nohup does, and a shell cannot trap what it inherits so.
    for ignored in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(ignored) == signal.SIG_IGN:
            signal.signal(ignored, signal.SIG_DFL)
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
