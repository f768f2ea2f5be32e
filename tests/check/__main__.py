# SPDX-License-Identifier: MIT
"""python3 -m check"""

import sys

from . import main

sys.exit(main.main(sys.argv[1:]))
