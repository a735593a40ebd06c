"""Which tracked files may differ from their blob although Git calls them unchanged. Part of the clean path.

An index entry whose stat fields match says: the work-tree bytes, *after* Git's conversions, are the blob. The blob's
id may stand for the bytes themselves only when no conversion applies. Conversions come from `core.autocrlf` and from
the attributes in `CONVERTING`, nothing else, so:

* `core.autocrlf` on: no file's id is free.
* An attributes line that sets one of them: not free for the paths that its pattern can match. `*.ext` patterns are
  understood (compared without case, because of `core.ignoreCase`); any other pattern counts as matching everything.
* Attributes come from `.gitattributes` files (tracked, untracked or ignored), `info/attributes`,
  `core.attributesFile` and the system's file.

One case stays open: a `.gitattributes` that is itself ignored, inside a directory that is ignored as a whole, next to
tracked files.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

CONVERTING = (b"text", b"crlf", b"eol", b"ident", b"filter", b"working-tree-encoding")
EVERYTHING = b""


def converted_suffixes(files: "Iterable[str]") -> tuple[bytes, ...]:
    """Return the lower-case name endings for which some attributes file may ask for a conversion.

    Args:
        files: Attributes files; one that does not exist says nothing.

    Returns:
        For `bytes.endswith`; `EVERYTHING`, which every name ends with, when no ending can be named.
    """
    found: set[bytes] = set()
    for path in files:
        try:
            with open(path, "rb") as file:
                found.update(_suffixes(file.read()))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            found.add(EVERYTHING)  # it is there, and Git may be able to read it
    return tuple(sorted(found))


def _suffixes(text: bytes) -> "Iterable[bytes]":
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith(b"#"):
            continue
        # A quoted pattern may hold blanks: its pieces are then taken for attributes, which can only make the answer
        # more careful.
        if any(word.partition(b"=")[0] in CONVERTING for word in words[1:]):
            yield _suffix(words[0])


def _suffix(pattern: bytes) -> bytes:
    name = pattern[2:]
    simple = pattern[:2] == b"*." and name.replace(b".", b"").replace(b"-", b"").replace(b"_", b"").isalnum()
    return pattern[1:].lower() if simple else EVERYTHING


def shared_attribute_files(common: str, configured: str, git: str) -> list[str]:
    """Return the attributes files that stand outside of the work tree.

    Args:
        common: The Git directory that all linked work trees share.
        configured: The value of `core.attributesFile`, empty when it is not set.
        git: Where the `git` program is: its installation's `etc` holds the system's file.
    """
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    personal = os.path.expanduser(configured) if configured else os.path.join(home, "git", "attributes")
    prefix = os.path.dirname(os.path.dirname(os.path.realpath(git)))
    return [
        os.path.join(common, "info", "attributes"),
        personal,
        "/etc/gitattributes",
        os.path.join(prefix, "etc", "gitattributes"),
    ]
