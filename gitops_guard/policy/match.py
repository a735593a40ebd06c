"""Does a policy or binding look at a request at all? The API server's match rules and selectors."""

from dataclasses import dataclass, field

from gitops_guard.model import FieldPath
from gitops_guard.policy.reading import BadPolicyError, as_dict, as_items, as_texts, as_word
from gitops_guard.policy.request import Request
from gitops_guard.policy.selectors import EVERYTHING, LabelSelector, read_selector

OPERATIONS = ("*", "CREATE", "UPDATE", "DELETE", "CONNECT")
_SCOPES = ("*", "Cluster", "Namespaced")
_ADMISSION = "admissionregistration.k8s.io"
_REVIEWS = frozenset({"authentication.k8s.io", "authorization.k8s.io"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRule:
    """One of `resourceRules` or `excludeResourceRules`."""

    groups: frozenset[str]
    versions: frozenset[str]
    resources: frozenset[str]
    operations: frozenset[str]
    scope: str
    """`*`, `Cluster` or `Namespaced`."""

    names: frozenset[str]
    """Names of the objects it is about; empty for all."""

    def covers(self, request: Request, *, any_version: bool) -> bool:
        """Tell whether it is about a request.

        Args:
            request: The request.
            any_version: Leave out the version: an equivalent one would be converted to.
        """
        return (
            self.covers_resource(request.group, request.resource.plural)
            and (any_version or "*" in self.versions or request.version in self.versions)
            and ("*" in self.operations or request.operation in self.operations)
            and self._covers_scope(request)
            and (not self.names or request.name in self.names)
        )

    def covers_resource(self, group: str, plural: str) -> bool:
        """Tell whether it is about a resource, whatever happens to it."""
        if "*" not in self.groups and group not in self.groups:
            return False
        names = self.resources
        return plural in names or "*" in names or "*/*" in names or f"{plural}/*" in names

    def _covers_scope(self, request: Request) -> bool:
        if self.scope == "*":
            return True
        # the namespace of a request for a Namespace is its own, yet it counts as cluster-scoped
        return (self.scope == "Namespaced") == request.resource.namespaced


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """`matchConstraints` of a policy or `matchResources` of a binding."""

    rules: tuple[ResourceRule, ...] = ()
    """Any of them must cover the request; none at all covers everything."""

    excluded: tuple[ResourceRule, ...] = ()
    namespaces: LabelSelector = EVERYTHING
    objects: LabelSelector = EVERYTHING
    exact: bool = False
    """`matchPolicy: Exact`: only the versions that the rules name."""

    by_kind: dict[tuple[object, ...], "Matching"] | None = field(init=False, compare=False, repr=False)
    """What came out for kinds and operations so far, where nothing else decides; None: names or labels do."""

    def __post_init__(self) -> None:
        """See whether kind and operation are all that decides."""
        has_names = any(rule.names for rule in (*self.rules, *self.excluded))
        decides = not has_names and self.namespaces.is_everything and self.objects.is_everything
        object.__setattr__(self, "by_kind", {} if decides else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """What came out of matching."""

    matches: bool
    unknown: str = ""
    """Why it cannot be told; then `matches` says nothing."""

    version: str = ""
    """The version that the API server would convert the object to; empty for its own."""


NO = Matching(matches=False)
YES = Matching(matches=True)


def is_exempt(group: str, kind: str) -> bool:
    """Tell whether no policy ever sees a kind: those that configure admission itself, and questions."""
    if group == _ADMISSION:
        return kind.startswith(("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy")) or kind.endswith(
            "WebhookConfiguration"
        )
    return group in _REVIEWS and kind.endswith("Review")


def matching(match: Match, request: Request) -> Matching:
    """Ask whether a request is matched."""
    if match.by_kind is None:
        return _matching(match, request)
    resource = request.resource
    key = (request.group, request.version, resource.plural, resource.namespaced, resource.versions, request.operation)
    found = match.by_kind.get(key)
    if found is None:
        found = match.by_kind[key] = _matching(match, request)
    return found


def _matching(match: Match, request: Request) -> Matching:
    if any(rule.covers(request, any_version=not match.exact) for rule in match.excluded):
        return NO
    covered = _covered(match, request)
    if not covered.matches:
        return covered
    if not match.objects.is_everything and not _selects_object(match.objects, request):
        return NO
    selected = _selects_namespace(match.namespaces, request)
    if selected is None:
        return Matching(matches=False, unknown=f"labels of namespace {request.namespace or '(none given)'}")
    return covered if selected else NO


def _covered(match: Match, request: Request) -> Matching:
    if not match.rules or any(rule.covers(request, any_version=False) for rule in match.rules):
        return YES
    if match.exact:
        return NO
    for rule in match.rules:
        if rule.covers(request, any_version=True):
            served = [name for name in request.resource.versions if name in rule.versions]
            if served:
                return Matching(matches=True, version=served[0])
    return NO


def _selects_object(selector: LabelSelector, request: Request) -> bool:
    return any(body is not None and selector.matches(_labels(body)) for body in (request.object, request.old))


def _selects_namespace(selector: LabelSelector, request: Request) -> bool | None:
    if selector.is_everything:
        return True
    if request.is_namespace:
        body = request.object if request.object is not None else request.old
        labels = {} if body is None else dict(_labels(body))
        # the API server sets this label itself before a policy sees the object
        return selector.matches({**labels, "kubernetes.io/metadata.name": request.name})
    if not request.resource.namespaced:
        return True
    if not request.namespace:
        return None
    own = {"kubernetes.io/metadata.name": request.namespace}
    if request.namespace_body is None:
        return selector.matches_partly_known(own)
    return selector.matches({**_labels(request.namespace_body), **own})


def _labels(body: object) -> dict[str, object]:
    metadata = body.get("metadata") if isinstance(body, dict) else None
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    return labels if isinstance(labels, dict) else {}


def read_match(value: object, field: FieldPath, *, needs_rules: bool) -> Match:
    """Read `matchConstraints` or `matchResources`.

    Raises:
        BadPolicyError: It is malformed.
    """
    body = as_dict(value, field)
    rules = _rules(body.get("resourceRules"), (*field, "resourceRules"))
    if needs_rules and not rules:
        raise BadPolicyError((*field, "resourceRules"), "Required value")
    return Match(
        rules=rules,
        excluded=_rules(body.get("excludeResourceRules"), (*field, "excludeResourceRules")),
        namespaces=read_selector(body.get("namespaceSelector"), (*field, "namespaceSelector")),
        objects=read_selector(body.get("objectSelector"), (*field, "objectSelector")),
        exact=as_word(body.get("matchPolicy"), (*field, "matchPolicy"), ("Exact", "Equivalent"), "Equivalent")
        == "Exact",
    )


def _rules(value: object, field: FieldPath) -> tuple[ResourceRule, ...]:
    return tuple(_rule(as_dict(item, place), place) for place, item in as_items(value, field))


def _rule(body: dict[str, object], field: FieldPath) -> ResourceRule:
    parts: dict[str, frozenset[str]] = {}
    for key in ("apiGroups", "apiVersions", "resources", "operations"):
        words = as_texts(body.get(key), (*field, key))
        if not words:
            raise BadPolicyError((*field, key), "Required value")
        parts[key] = frozenset(words)
    for operation in sorted(parts["operations"].difference(OPERATIONS)):
        listed = ", ".join(f'"{word}"' for word in OPERATIONS)
        raise BadPolicyError((*field, "operations"), f'Unsupported value: "{operation}": supported values: {listed}')
    return ResourceRule(
        groups=parts["apiGroups"],
        versions=parts["apiVersions"],
        resources=parts["resources"],
        operations=parts["operations"],
        scope=as_word(body.get("scope"), (*field, "scope"), _SCOPES, "*"),
        names=frozenset(as_texts(body.get("resourceNames"), (*field, "resourceNames"))),
    )
