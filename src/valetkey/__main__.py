"""`python -m valetkey` is the `valetkey` command."""

import sys

from valetkey.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
