"""Files whose content in Git is not what people edit: recognised by their first bytes."""

HEAD_BYTES = 64
"""How many bytes of a file `filtered_reason` wants to see."""

_LFS_VERSIONS = (b"version https://git-lfs.github.com/spec/v", b"version https://hawser.github.com/spec/v")
_GIT_CRYPT = b"\0GITCRYPT\0"


def filtered_reason(head: bytes) -> str | None:
    """Return why a file holds no manifest although its name says so, or None.

    Args:
        head: The file's first bytes, `HEAD_BYTES` or more.

    Returns:
        `Git LFS pointer`, `git-crypt file` or None.
    """
    if head.startswith(_LFS_VERSIONS):
        return "Git LFS pointer"
    if head.startswith(_GIT_CRYPT):
        return "git-crypt file"
    return None
