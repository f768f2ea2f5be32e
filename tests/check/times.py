# SPDX-License-Identifier: MIT
"""How long each step took when it last ran, in seconds."""

import json
import os
import threading

from . import repo

PATH = os.path.join(repo.CACHE, "times.json")


class Times:
    """What is kept; a file that cannot be read or written is as good as none."""

    def __init__(self, path=PATH):
        self._path, self._lock = path, threading.Lock()
        try:
            with open(path, encoding="utf-8") as f:
                self._times = {name: float(s) for name, s in json.load(f).items()}
        except (OSError, ValueError, AttributeError, TypeError):
            self._times = {}

    def of(self, name):
        return self._times.get(name)

    def note(self, name, seconds):
        with self._lock:
            self._times[name] = round(seconds, 1)
            try:
                os.makedirs(os.path.dirname(self._path), exist_ok=True)
                with open(self._path + ".new", "w", encoding="utf-8") as f:
                    json.dump(self._times, f, indent=1, sort_keys=True)
                os.rename(self._path + ".new", self._path)
            except OSError:
                pass
