"""Which names, functions and switches an expression may count on: who evaluates it, in which Kubernetes version."""

from dataclasses import dataclass, replace
from functools import lru_cache

from gitops_guard.cel.errors import CelError
from gitops_guard.cel.functions import FunctionTable, Library
from gitops_guard.cel.library import libraries_of
from gitops_guard.cel.values import STANDARD_TYPES, TypeValue

DEFAULT_VERSION = "1.36"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """An environment for expressions."""

    name: str
    """`vap`, `map`, `crd`, `gatekeeper`, `kyverno`, `guard` or `spec`."""

    version: str
    """Kubernetes minor version: `1.36`."""

    roots: tuple[str, ...]
    """Variables that every expression may use."""

    libraries: tuple[Library, ...]
    functions: FunctionTable
    """What the libraries declare, by name."""

    types: dict[str, TypeValue]
    """Names that denote types."""

    messages: tuple[str, ...]
    """Names of structs that may be built; one that ends in `.` allows all names below it."""

    two_variables: bool
    """Comprehensions with key and value."""

    optionals: bool
    exists_one_alias: bool
    """`existsOne` with one variable."""

    escaped_fields: bool
    """Fields are written as the API server escapes them in rules of a CRD: `a__dash__b`."""

    quoted_fields: bool
    """Fields in backticks."""

    bind: bool
    """The macro `cel.bind`."""

    sort_by: bool
    strict_presence: bool
    """`has(x.y)` and `x.?y` are errors where x is null or a scalar."""

    strict_keys: bool
    """Repeated, null and double keys of a map literal are errors."""

    homogeneous: bool
    """Elements of a list literal and values of a map literal must be of one type."""

    dynamic: frozenset[str]
    """Variables whose fields have no types to the API server's checker: in a literal they mix with nothing else."""

    checked: bool
    """What provably fails at run time is an error at compile time already, as far as we can tell: operators on types
    they do not take, conversions of literals."""

    late_names: bool
    """Undeclared names are errors at run time, not at compile time."""

    or_on_concrete: bool
    """`x.orValue(y)` on a value that is not optional gives the value."""


_ROOTS = {
    "vap": ("object", "oldObject", "request", "params", "namespaceObject", "variables", "authorizer"),
    "map": ("object", "oldObject", "request", "params", "namespaceObject", "variables", "authorizer"),
    "crd": ("self", "oldSelf"),
    "gatekeeper": ("object", "oldObject", "request", "namespaceObject", "variables"),
    "kyverno": ("object", "oldObject", "request", "namespaceObject", "variables", "exceptions"),
    "guard": ("object", "oldObject", "request", "namespaceObject", "variables", "params", "repo"),
    "spec": (),
}
PROFILE_NAMES = tuple(_ROOTS)
_DOTTED_ROOTS = {"vap": ("authorizer.requestResource",), "map": ("authorizer.requestResource",)}
_AUTHORIZER_SINCE = 27
_UNTYPED = frozenset({"object", "oldObject", "params"})
_CLUSTER = frozenset({"vap", "map", "crd", "gatekeeper"})


def minor_of(version: str) -> int:
    """Return 36 for `1.36`.

    Raises:
        CelError: The version is not of that form.
    """
    major, _, minor = version.partition(".")
    if major != "1" or not minor.isdecimal():
        raise CelError(f"not a Kubernetes version of the form 1.N: {version}")
    return int(minor)


def profile(name: str, version: str = DEFAULT_VERSION) -> Profile:
    """Return the environment of one user of expressions.

    Args:
        name: One of `PROFILE_NAMES`.
        version: Kubernetes minor version; functions of later versions are unknown to it. A cluster takes a *new*
            expression only if it would also do one version earlier, stored ones may use all of its own.

    Raises:
        CelError: There is no such profile, or the version is malformed.
    """
    if name not in _ROOTS:
        raise CelError(f"unknown profile: {name}")
    return _profile(name, minor_of(version))


def extended(base: Profile, *libraries: Library) -> Profile:
    """Return an environment with further functions: an organisation's own, or those of another policy engine.

    Args:
        base: What there is already; its overloads lose against new ones of the same signature.
        libraries: What comes on top.
    """
    together = (*base.libraries, *libraries)
    return replace(base, libraries=together, functions=FunctionTable(together), types=_types(together))


@lru_cache(maxsize=64)
def _profile(name: str, minor: int) -> Profile:
    cluster = name in _CLUSTER
    libraries = tuple(libraries_of(name, minor))
    return Profile(
        name=name,
        version=f"1.{minor}",
        roots=_roots(name, minor),
        libraries=libraries,
        functions=FunctionTable(libraries),
        types=_types(libraries),
        messages=("Object", "Object.", "JSONPatch") if name == "map" else (),
        two_variables=not cluster or minor >= 32,
        optionals=not cluster or minor >= 28,
        exists_one_alias=not cluster or minor >= 37,
        escaped_fields=name == "crd",
        quoted_fields=not cluster,
        bind=not cluster,
        sort_by=not cluster or minor >= 34,
        strict_presence=name == "spec",
        strict_keys=name == "spec",
        homogeneous=cluster,
        dynamic=_UNTYPED if cluster and name != "crd" else frozenset(),
        checked=cluster,
        late_names=name == "spec",
        # cel-go 0.28 made it an error; the API server took that version up with 1.37
        or_on_concrete=name in ("kyverno", "guard") or (cluster and minor < 37),
    )


def _roots(name: str, minor: int) -> tuple[str, ...]:
    roots = _ROOTS[name] + _DOTTED_ROOTS.get(name, ())
    return roots if minor >= _AUTHORIZER_SINCE else tuple(root for root in roots if not root.startswith("authorizer"))


def _types(libraries: tuple[Library, ...]) -> dict[str, TypeValue]:
    names = dict(STANDARD_TYPES)
    for library in libraries:
        for cls in library.types:
            name = getattr(cls, "type_name", "")
            names[name] = TypeValue(name)
    return names
