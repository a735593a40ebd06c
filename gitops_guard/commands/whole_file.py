"""Files for the user that are written whole or not at all: a full disk or an interrupt leaves what was there."""

import contextlib
import os


def write_whole(path: str, data: bytes, *, overwrite: bool = True, mode: int = 0o666) -> None:
    """Write a file under a temporary name beside it, then put it in place.

    Args:
        path: Where it shall be; a symbolic link there is replaced, not followed.
        data: The whole content.
        overwrite: Replace a file that is there already.
        mode: Permission bits, less the user's umask.

    Raises:
        FileExistsError: There is a file, and it shall not be replaced.
        OSError: It cannot be written; nothing has changed.
    """
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        if overwrite:
            os.replace(temporary, path)
        else:
            os.link(temporary, path)  # unlike a rename it fails when somebody else was faster
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
