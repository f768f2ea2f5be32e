# SPDX-License-Identifier: MIT
"""The emulated board: fetch, build and boot. The entry points are ../run, ../build, ../builder-exec."""
