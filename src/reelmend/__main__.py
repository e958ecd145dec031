"""`python -m reelmend` is the command line."""

import sys

from reelmend.cli import main

sys.exit(main())
