"""Bytes to text, with what must be said about the bytes."""

import codecs

from gitops_guard.manifest.dialect import Dialect
from gitops_guard.manifest.issue import Issue, UnreadableError
from gitops_guard.model import Severity

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decode(data: bytes, *, dialect: Dialect) -> tuple[str, tuple[Issue, ...]]:
    """Decode a file.

    Returns:
        The text without a leading byte order mark, and remarks about the whole file.

    Raises:
        UnreadableError: The bytes are no text that every reader would take.
    """
    if data.startswith(_UTF16):
        return _decode_utf16(data, dialect=dialect)
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode(), ()
    except UnicodeDecodeError as error:
        before = data.removeprefix(codecs.BOM_UTF8)[: error.start]
        raise UnreadableError(
            "yaml-encoding",
            f"invalid UTF-8: byte 0x{error.object[error.start]:02x}",
            *_place(before.decode()),
            hint="save the file as UTF-8",
        ) from None


def _place(before: str) -> tuple[int, int]:
    return len(before), len(before) + 1


def _decode_utf16(data: bytes, *, dialect: Dialect) -> tuple[str, tuple[Issue, ...]]:
    try:
        text = data.decode("utf-16")
    except UnicodeDecodeError:
        raise UnreadableError("yaml-encoding", "invalid UTF-16", 0, 0, hint="save the file as UTF-8") from None
    if dialect is Dialect.KUSTOMIZE:
        # kustomize splits raw bytes, so it takes one document and no more; none of ours depends on that.
        raise UnreadableError("yaml-encoding", "UTF-16: kustomize refuses it", 0, 0, hint="save the file as UTF-8")
    issue = Issue(
        rule="yaml-encoding",
        severity=Severity.WARNING,
        message="UTF-16: kubectl takes it, kustomize does not",
        hint="save the file as UTF-8",
        start=0,
        end=0,
    )
    return text, (issue,)
