# SPDX-License-Identifier: MIT
"""Every test of this repository, one line for each."""
