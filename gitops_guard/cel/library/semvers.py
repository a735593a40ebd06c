"""Semantic versions."""

import re
from functools import total_ordering

from gitops_guard.cel.errors import CelError
from gitops_guard.cel.functions import Library
from gitops_guard.cel.values import INT_MAX, Opaque

_VERSION = re.compile(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?\Z"
)
_MAX_LENGTH = 1000


@total_ordering
class Semver(Opaque):
    """A version; the build part counts for nothing."""

    __slots__ = ("numbers", "prerelease")
    type_name = "kubernetes.Semver"

    def __init__(self, numbers: tuple[int, int, int], prerelease: tuple[str, ...]) -> None:
        self.numbers = numbers
        self.prerelease = prerelease

    def _key(self) -> tuple[tuple[int, int, int], bool, list[tuple[bool, int, str]]]:
        # numeric identifiers come before others; a release comes after its prereleases
        parts = [(False, int(part), "") if part.isdigit() else (True, 0, part) for part in self.prerelease]
        return self.numbers, not self.prerelease, parts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Semver) and other._key() == self._key()

    def __lt__(self, other: "Semver") -> bool:
        return self._key() < other._key()

    def __hash__(self) -> int:
        return hash((self.numbers, self.prerelease))


SEMVERS = Library("semver", types=(Semver,))


@SEMVERS.function("semver", str)
def parse_semver(text: str) -> Semver:
    """Read a version by SemVer 2.

    Raises:
        CelError: The text is none.
    """
    match = _VERSION.match(text) if len(text) <= _MAX_LENGTH else None
    if match is None:
        raise CelError(f"invalid semantic version: {text[:60]!r}")
    numbers = (int(match[1]), int(match[2]), int(match[3]))
    prerelease = tuple(match[4].split(".")) if match[4] else ()
    too_large = max(numbers) > 2 * INT_MAX + 1
    if too_large or any(part.isdigit() and len(part) > 1 and part[0] == "0" for part in prerelease):
        raise CelError(f"invalid semantic version: {text[:60]!r}")
    return Semver(numbers, prerelease)


@SEMVERS.function("semver", str, bool)
def _parse_maybe_normalized(text: str, normalize: bool) -> Semver:
    return parse_semver(_normalized(text) if normalize else text)


def _normalized(text: str) -> str:
    """Drop a `v`, fill missing parts with zeros, drop leading zeros."""
    parts = text.removeprefix("v").split(".", 2)
    if len(parts) < 3:
        if any(character in parts[-1] for character in "+-"):
            raise CelError("short version cannot contain PreRelease/Build meta data")
        parts += ["0"] * (3 - len(parts))
    return ".".join(_without_zeros(part) for part in parts)


def _without_zeros(part: str) -> str:
    if len(part) < 2:
        return part
    stripped = part.lstrip("0")
    return stripped if stripped[:1].isdigit() else f"0{stripped}"


@SEMVERS.function("isSemver", str)
def _is_semver(text: str) -> bool:
    return _is_semver_normalized(text, False)


@SEMVERS.function("isSemver", str, bool)
def _is_semver_normalized(text: str, normalize: bool) -> bool:
    try:
        _parse_maybe_normalized(text, normalize)
    except CelError:
        return False
    return True


def _declare_part(name: str, position: int) -> None:
    def part(version: Semver) -> int:
        number = version.numbers[position]
        # a uint64 to the API server, read as an int64
        return number if number <= INT_MAX else number - 2**64

    SEMVERS.method(name, Semver)(part)


_declare_part("major", 0)
_declare_part("minor", 1)
_declare_part("patch", 2)


@SEMVERS.method("compareTo", Semver, Semver)
def _compare(left: Semver, right: Semver) -> int:
    return (left > right) - (left < right)


SEMVERS.method("isLessThan", Semver, Semver)(lambda left, right: left < right)
SEMVERS.method("isGreaterThan", Semver, Semver)(lambda left, right: left > right)
