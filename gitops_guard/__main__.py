"""`python -m gitops_guard`: the same as the `gitops-guard` command."""

import sys

from gitops_guard.cli import main

if __name__ == "__main__":
    sys.exit(main())
