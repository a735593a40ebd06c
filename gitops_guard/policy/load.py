"""Files to rules: finds policies and bindings, compiles them, and says where what is wrong stands."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gitops_guard.manifest.classify import unfold
from gitops_guard.manifest.document import Document
from gitops_guard.manifest.loader import load as read_stream
from gitops_guard.model import Body, CheckError, FieldPath, MapKey
from gitops_guard.policy.match import Match
from gitops_guard.policy.packs import PREFIX, evaluated_as
from gitops_guard.policy.programs import Programs, compile_policy
from gitops_guard.policy.reading import BadPolicyError
from gitops_guard.policy.rule import PolicyOrigin, PolicyRule
from gitops_guard.policy.spec import (
    BINDING,
    FIELD_ANNOTATION,
    POLICY,
    BindingSpec,
    PolicySpec,
    is_kind,
    read_binding,
    read_policy,
    severity_of,
)
from gitops_guard.policy.text_position import place_in_scalar

_WORDS = (POLICY.encode(),)
_EVERYWHERE = Match()


def _nothing_beside(_name: str) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySource:
    """A file that may hold policies or bindings."""

    path: str
    """As messages show it."""

    data: bytes
    origin: str = ""
    """What the configuration calls it: `pack:security`; empty for a file of the tree that it does not name."""

    beside: Callable[[str], bytes | None] = field(default=_nothing_beside, compare=False)
    """Reads a file of the same folder by its name: the policy's page."""

    @property
    def holds_unbound(self) -> bool:
        """Tell whether a policy in it holds without a binding: it was named as a policy."""
        return bool(self.origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySet:
    """All policies of a run."""

    rules: tuple[PolicyRule, ...] = ()
    """Sorted by id, then by the policy's name."""

    errors: tuple[CheckError, ...] = ()
    """What cannot be used, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """One object of a file that matters here."""

    source: PolicySource
    document: Document
    item: FieldPath
    body: Body

    def error(self, field: FieldPath, message: str, offset: int = -1, rule: str = "policy") -> CheckError:
        span = self.document.locate(self.item + field)
        line, column = span.line, span.column
        scalar = self.document.scalar(self.item + field)
        if offset >= 0 and scalar is not None:
            lines = self.source.data.decode("utf-8", "replace").split("\n")
            line, column = place_in_scalar(lines, span, offset)
        return CheckError(path=self.source.path, line=line, column=column, rule=rule, message=message)


def load(sources: Iterable[PolicySource], *, versions: Sequence[str], known_rules: Iterable[str] = ()) -> PolicySet:
    """Read and compile all policies.

    Args:
        sources: Files, in the order in which they are named.
        versions: Minor versions that have to take them.
        known_rules: Ids that are taken by rules of other kinds.
    """
    loading = _Loading(versions, frozenset(known_rules))
    for source in sources:
        loading.read(source)
    return loading.finish()


def objects_in(data: bytes) -> Iterator[Body]:
    """Yield the objects of a manifest file, as far as it can be read."""
    for document in read_stream(data).documents:
        for _, body in unfold(document.body):
            yield body


class _Loading:
    """Collects what files hold, then joins policies and bindings."""

    def __init__(self, versions: Sequence[str], taken: frozenset[str]) -> None:
        self._versions = versions
        self._taken = taken
        self._errors: list[CheckError] = []
        self._policies: dict[str, tuple[_Found, PolicySpec]] = {}
        self._bindings: dict[str, list[BindingSpec]] = {}

    def read(self, source: PolicySource) -> None:
        """Take what a file holds; a file without the word is not even parsed."""
        if not any(word in source.data for word in _WORDS):
            return
        stream = read_stream(source.data)
        for problem in stream.problems:
            if problem.unreadable and source.holds_unbound:
                self._errors.append(
                    CheckError(
                        path=source.path,
                        line=problem.span.line,
                        column=problem.span.column,
                        rule=problem.rule,
                        message=problem.message,
                    )
                )
        for document in stream.documents:
            for item, body in unfold(document.body):
                self._take(_Found(source=source, document=document, item=item, body=body))

    def _take(self, found: _Found) -> None:
        try:
            if is_kind(found.body, POLICY):
                self._take_policy(found, read_policy(found.body))
            elif is_kind(found.body, BINDING):
                binding = read_binding(found.body)
                self._bindings.setdefault(binding.policy, []).append(binding)
        except BadPolicyError as error:
            self._errors.append(found.error(error.field, str(error), error.offset))

    def _take_policy(self, found: _Found, policy: PolicySpec) -> None:
        other = self._policies.get(policy.name)
        if other is None:
            self._policies[policy.name] = found, policy
        elif other[0].body != found.body:
            place = f"{other[0].source.path}:{other[0].document.line}"
            message = (
                f"metadata.name: there is another policy {policy.name} at {place}; the cluster would keep one of them"
            )
            self._errors.append(found.error(("metadata", "name"), message))

    def finish(self) -> PolicySet:
        """Compile what is bound, or holds without."""
        rules: list[PolicyRule] = []
        for name in sorted(self._policies):
            found, policy = self._policies[name]
            bindings = self._bindings.get(name, [])
            if not bindings and not found.source.holds_unbound:
                continue
            try:
                rule = self._rule(found, policy, tuple(bindings) or (_unbound(name),))
            except BadPolicyError as error:
                self._errors.append(found.error(error.field, str(error), error.offset))
                continue
            if rule is not None:
                rules.append(rule)
        rules.sort(key=lambda rule: (rule.id, rule.policy.name))
        return PolicySet(rules=tuple(rules), errors=tuple(sorted(self._errors, key=lambda error: error.sort_key)))

    def _rule(self, found: _Found, policy: PolicySpec, bindings: tuple[BindingSpec, ...]) -> PolicyRule | None:
        programs: dict[str, Programs] = {}
        comes_along = found.source.origin.startswith(PREFIX)
        for version in self._versions:
            compiled, errors = compile_policy(policy, evaluated_as(version) if comes_along else version)
            if compiled is None:
                self._errors.extend(self._not_compiled(found, error, version) for error in errors)
                return None
            programs[version] = compiled
        rule = policy.annotations.get("rule") or policy.name
        if rule in self._taken:
            raise BadPolicyError(
                ("metadata", "name"), f'there is a rule "{rule}" already; name another one in gitops-guard.io/rule'
            )
        return PolicyRule(
            policy,
            programs,
            bindings,
            rule=rule,
            severity=severity_of(policy),
            field=_field(policy),
            summary=_summary(policy),
            origin=PolicyOrigin(
                path=found.source.path,
                line=found.document.locate(found.item).line,
                source=found.source.origin,
                beside=found.source.beside,
            ),
        )

    def _not_compiled(self, found: _Found, error: BadPolicyError, version: str) -> CheckError:
        where = f" in Kubernetes {version}" if len(self._versions) > 1 else ""
        return found.error(error.field, f"expression does not compile{where}: {error.message}", error.offset)


def _unbound(name: str) -> BindingSpec:
    return BindingSpec(name="", policy=name, match=_EVERYWHERE, param_ref=None, actions=())


def _summary(policy: PolicySpec) -> str:
    texts = [policy.annotations.get("summary", ""), policy.annotations.get("description", "")]
    texts += [validation.message for validation in policy.validations]
    return next((text.strip().split("\n")[0] for text in texts if text.strip()), f"What the policy {policy.name} says.")


def _field(policy: PolicySpec) -> FieldPath | None:
    """Read the field annotation: `spec.template.spec.containers[0].image`; keys with dots in brackets."""
    text = policy.annotations.get("field", "").strip()
    if not text:
        return None
    path: list[str | int] = []
    for part in text.replace("[", ".[").split("."):
        if part.startswith("[") and part.endswith("]"):
            inside = part[1:-1]
            path.append(int(inside) if inside.isdecimal() else MapKey(inside.strip("'\"")))
        elif part and "[" not in part and "]" not in part:
            path.append(part)
        elif part or len(path) == 0:
            raise BadPolicyError(
                ("metadata", "annotations", FIELD_ANNOTATION),
                f"{text!r} is no field path; write it as spec.template.spec.containers[0].image",
            )
    return tuple(path)
