# SPDX-License-Identifier: MIT
"""python3 -m demo"""

import sys

from . import demo

sys.exit(demo.main(sys.argv[1:]))
