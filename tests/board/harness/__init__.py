# SPDX-License-Identifier: MIT
"""The emulated board: fetch, build, boot. Entry points: ../run, ../build, ../builder-exec."""
