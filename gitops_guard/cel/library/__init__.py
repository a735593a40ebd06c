"""The function libraries, one file each, and which of them a profile and version offer."""

from collections.abc import Iterator

from gitops_guard.cel.functions import Library
from gitops_guard.cel.library.authorizer import AUTHORIZER, SELECTORS
from gitops_guard.cel.library.encoders import ENCODERS
from gitops_guard.cel.library.formats import FORMATS
from gitops_guard.cel.library.formatting import FORMAT_QUOTED, FORMAT_UNQUOTED
from gitops_guard.cel.library.jsonpatch import JSON_PATCH
from gitops_guard.cel.library.lists import INCLUDES, LISTS_EXT, LISTS_KUBERNETES
from gitops_guard.cel.library.maths import MATH
from gitops_guard.cel.library.network import CIDRS, IPS
from gitops_guard.cel.library.optionals import OPTIONALS
from gitops_guard.cel.library.quantities import QUANTITIES
from gitops_guard.cel.library.regex import REGEX_EXT, REGEX_KUBERNETES
from gitops_guard.cel.library.semvers import SEMVERS
from gitops_guard.cel.library.sets import SETS
from gitops_guard.cel.library.standard import STANDARD
from gitops_guard.cel.library.strings import STRINGS_V0, STRINGS_V2, STRINGS_V3
from gitops_guard.cel.library.times import TIMES
from gitops_guard.cel.library.urls import URLS

_ALWAYS = 0

_KUBERNETES: tuple[tuple[int, Library], ...] = (
    (_ALWAYS, STANDARD),
    (_ALWAYS, TIMES),
    (_ALWAYS, STRINGS_V0),
    (_ALWAYS, URLS),
    (_ALWAYS, REGEX_KUBERNETES),
    (_ALWAYS, LISTS_KUBERNETES),
    (28, OPTIONALS),
    (28, QUANTITIES),
    (29, STRINGS_V2),
    (29, FORMAT_QUOTED),
    (29, SETS),
    (30, IPS),
    (30, CIDRS),
    (31, FORMATS),
    (33, SEMVERS),
    (34, LISTS_EXT),
    (37, INCLUDES),
)
"""Since which Kubernetes minor version the API server offers a library."""

_AUTHORIZER: tuple[tuple[int, Library], ...] = ((27, AUTHORIZER), (31, SELECTORS))
_EXTENSIONS = (MATH, ENCODERS, REGEX_EXT, STRINGS_V3)
_WITH_AUTHORIZER = frozenset({"vap", "map"})


def libraries_of(name: str, minor: int) -> Iterator[Library]:
    """Yield the libraries of a profile.

    Args:
        name: The profile's.
        minor: Kubernetes minor version, 36 for 1.36.
    """
    cluster = name in ("vap", "map", "crd", "gatekeeper")
    for since, library in _KUBERNETES:
        if library is FORMAT_QUOTED and name == "spec":
            yield FORMAT_UNQUOTED
        elif not cluster or minor >= since:
            yield library
    if name in _WITH_AUTHORIZER:
        yield from (library for since, library in _AUTHORIZER if minor >= since)
    if name == "map":
        yield JSON_PATCH
    if not cluster:
        yield from _EXTENSIONS
