# SPDX-License-Identifier: MIT
"""What the benchmark's parts have in common when something goes wrong."""


class BenchError(Exception):
    """Something was not measured; the message says what, and where more is told."""
