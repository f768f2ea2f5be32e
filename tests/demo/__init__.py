# SPDX-License-Identifier: MIT
"""The demo: both drivers on the emulated board, side by side."""
