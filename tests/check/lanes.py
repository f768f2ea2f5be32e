# SPDX-License-Identifier: MIT
"""Run steps side by side: each lane takes the first step on the list that may begin."""

import threading


class Lanes:
    """Which steps are waiting, under way and through; run() returns when all are through."""

    def __init__(self, steps, run_one, lanes):
        self._waiting = list(steps)
        self._run_one, self._lanes = run_one, lanes
        self._names = {step.name for step, _ in steps}
        self._through, self._under_way = set(), 0
        self._changed = threading.Condition()
        self._trouble = None

    def _next(self):
        """The next (step, items) for a lane, or None when nothing is left to begin."""
        with self._changed:
            while self._waiting and not self._trouble:
                for chosen in self._waiting:
                    if self._names & set(chosen[0].after) <= self._through:
                        self._waiting.remove(chosen)
                        self._under_way += 1
                        return chosen
                if not self._under_way:
                    raise ValueError("steps wait for each other: "
                                     + ", ".join(step.name for step, _ in self._waiting))
                self._changed.wait()
        return None

    def _lane(self):
        try:
            while chosen := self._next():
                self._run_one(*chosen)
                with self._changed:
                    self._under_way -= 1
                    self._through.add(chosen[0].name)
                    self._changed.notify_all()
        # A mistake in this program: the other lane must not wait for this one for ever.
        except BaseException as e:
            self._begin_no_more(e)

    def _begin_no_more(self, trouble):
        with self._changed:
            self._trouble = trouble
            self._changed.notify_all()

    def run(self):
        threads = [threading.Thread(target=self._lane, daemon=True) for _ in range(self._lanes)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                # With a limit, because a signal is only seen between two waits.
                while thread.is_alive():
                    thread.join(0.5)
        except KeyboardInterrupt as e:
            self._begin_no_more(e)
        if self._trouble:
            raise self._trouble
