"""argv to command, the one error boundary, exit codes; no logic.

A hook run whose files are all known to be clean must end a few milliseconds after Python has started, so the first
thing tried is `commands.check_clean`, which imports next to nothing. Everything else loads behind it.

Exit codes: 0 clean; 1 findings at or above the gate; 2 could not check; 3 our bug, with a log; 130 interrupted.
"""

import errno
import os
import sys

CLEAN, FINDINGS, COULD_NOT_CHECK, OUR_BUG, INTERRUPTED = 0, 1, 2, 3, 130

_OUTPUT_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What writing a report can fail with; files that we open ourselves bring their names."""


def main(argv: "list[str] | None" = None) -> int:
    """Run one command.

    Args:
        argv: Arguments without the program's name; those of the process by default.

    Returns:
        The exit code.
    """
    arguments = sys.argv[1:] if argv is None else argv
    if sys.stdout is None:  # the caller closed it: nobody would read a report
        _say("error: standard output is closed; redirect it to /dev/null if nobody reads it")
        return COULD_NOT_CHECK
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        _silence(sys.stdout)  # half a report is worse than none
        _say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _silence(sys.stdout)  # the reader has gone: say nothing more, but do not call it a pass
        return COULD_NOT_CHECK
    except Exception as error:  # the one place that catches broadly: see _explain
        return _explain(error)
    return code


def _run(arguments: "list[str]") -> int:
    if arguments[:1] == ["check"]:
        from gitops_guard.commands import check_clean

        code = check_clean.run(arguments[1:], os.environ)
        if code is not None:
            return code
    from gitops_guard.commands import dispatch

    _accept_any_text(sys.stdout)
    return dispatch(arguments)


def _accept_any_text(stream: object) -> None:
    """Let a stream of any encoding take any text: file names may hold surrogates, a locale may know only ASCII."""
    reconfigure = getattr(stream, "reconfigure", None)  # a caller's own stream may have none
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _explain(error: Exception) -> int:
    from gitops_guard.errors import GuardError

    if isinstance(error, GuardError):
        _say(f"error: {error}")
        return COULD_NOT_CHECK
    if isinstance(error, OSError):
        place = error.filename or ("standard output" if error.errno in _OUTPUT_ERRORS else "the operating system")
        _say(f"error: {place}: {error.strerror or type(error).__name__}")
        _silence(sys.stdout)  # what was half written must not be written again at exit
        return COULD_NOT_CHECK
    from gitops_guard.commands.crash import write_log

    _say(f"this is a bug ({type(error).__name__}); {write_log(error, os.environ)}")
    return OUR_BUG


def _say(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"gitops-guard: {text}\n")


def _silence(stream: object) -> None:
    """Point a broken output stream at nothing, so that the interpreter's own flush at exit stays quiet."""
    try:
        descriptor = stream.fileno()  # type: ignore[attr-defined]  # a test's stream may have none
    except (AttributeError, OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
