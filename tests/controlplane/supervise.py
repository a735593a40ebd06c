"""Become another program that cannot outlive its parent: `python supervise.py PARENT_PID PROGRAM ARGUMENT...`.

The kernel's parent-death signal survives an exec, so this sets it and becomes the program: no process stays in between, and nothing
has to run in a forked child of a multi-threaded pytest (which subprocess's `preexec_fn` would). Systems other than Linux have no
such signal; there the processes end with the fixtures, but not when pytest is killed with -9.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Set the signal, make sure that the parent still lives, become the program."""
    parent, program, *arguments = sys.argv[1:]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != int(parent):  # it died before the signal was set
        raise SystemExit(1)
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    main()
