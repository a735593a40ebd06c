"""A policy as a rule: the same type that plugins and built-in rules have."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gitops_guard.model import FieldPath, Problem, Resource, RuleContext, Severity, Unevaluated
from gitops_guard.policy.bindings import Misconfigured, params_of
from gitops_guard.policy.evaluate import CannotTell, Denial, Evaluation, Ignored, Outcome
from gitops_guard.policy.kinds import builtin_resources, kinds_by_resource
from gitops_guard.policy.match import Match, Matching, ResourceRule, is_exempt, matching
from gitops_guard.policy.packs import PAGE
from gitops_guard.policy.places import field_of, read_field
from gitops_guard.policy.programs import Programs
from gitops_guard.policy.request import Request, World
from gitops_guard.policy.spec import BindingSpec, PolicySpec

_ACTIONS = (("Deny", Severity.ERROR), ("Warn", Severity.WARNING), ("Audit", Severity.NOTE))
_CONVERTED = "the API server would evaluate it in version {version}, to which objects are not converted here"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOrigin:
    """Where a policy was read."""

    path: str
    line: int
    source: str
    """What the configuration calls it: `pack:security`, `policies`."""

    beside: Callable[[str], bytes | None]
    """Reads another file of its folder; None when there is none of that name."""


class PolicyRule:
    """One policy with its bindings. Immutable but for the world it looks at, which `within` replaces."""

    def __init__(
        self,
        policy: PolicySpec,
        programs: dict[str, Programs],
        bindings: tuple[BindingSpec, ...],
        *,
        rule: str,
        severity: Severity,
        field: FieldPath | None,
        summary: str,
        origin: PolicyOrigin,
    ) -> None:
        """Put a rule together; `load` does.

        Args:
            policy: What it says.
            programs: Its expressions by Kubernetes version.
            bindings: Where it holds.
            rule: Its id.
            severity: Of a policy that no binding gives an action.
            field: Where its findings point, when the policy says so itself.
            summary: What it flags.
            origin: Where it was read.
        """
        self.id = rule
        self.severity = severity
        self.summary = summary
        self.kinds = _kinds(policy.match)
        self.policy = policy
        self.bindings = bindings
        self.origin = origin
        self._programs = programs
        self._field = field
        self._world = World()
        self._lenient = False
        self._fields: dict[tuple[str, int], FieldPath] = {}

    @property
    def documentation(self) -> str:
        """Return its page: `README.md` of its folder; empty when there is none."""
        return (self.origin.beside(PAGE) or b"").decode("utf-8", "replace")

    @property
    def source(self) -> str:
        """Return where it comes from, as lists of rules show it: `pack:security`, `policies`, a path."""
        return self.origin.source or self.origin.path

    @property
    def is_default(self) -> bool:
        """Tell whether it is on without a word in the configuration: `gitops-guard.io/default` says otherwise."""
        return self.policy.annotations.get("default", "on") != "off"

    @property
    def needs_namespaces(self) -> bool:
        """Tell whether it looks at Namespaces."""
        matches = [self.policy.match, *(binding.match for binding in self.bindings)]
        return "namespaceObject" in self.reads or any(not match.namespaces.is_everything for match in matches)

    @property
    def needs_definitions(self) -> bool:
        """Tell whether names of resources that are not built in decide."""
        matches = [self.policy.match, *(binding.match for binding in self.bindings)]
        return any(_names_custom(rule) for match in matches for rule in (*match.rules, *match.excluded))

    def within(self, world: World) -> "PolicyRule":
        """Return the same rule, looking at a repository."""
        rule = copy.copy(self)
        rule._world = world
        return rule

    def leniently(self, world: World) -> "PolicyRule":
        """Return the same rule for manifests that the API server may refuse, or convert, before a policy sees them.

        Of a policy that comes along: it looks at fields that stand at the same place in all versions, and has no error
        on an object that its schema allows. So another version is judged as it is written, and what cannot be
        evaluated is left to the schema's findings.
        """
        rule = self.within(world)
        rule._lenient = True
        return rule

    @property
    def reads(self) -> frozenset[str]:
        """Return the variables that its expressions use."""
        programs = next(iter(self._programs.values()))
        return frozenset(name for program in programs.all() for name in program.variables)

    def check(self, resource: Resource, context: RuleContext) -> Iterator[Problem | Unevaluated]:
        """Yield what the API server would deny, warn of or note when the resource is created or changed."""
        yield from self.judge(self._world.request_of(resource), context.kubernetes_versions)

    def covers(self, request: Request) -> bool:
        """Tell whether the policy, by some binding, looks at a request; match conditions are not asked."""
        if is_exempt(request.group, request.kind) or not matching(self.policy.match, request).matches:
            return False
        return any(matching(binding.match, request).matches for binding in self.bindings)

    def judge(self, request: Request, versions: tuple[str, ...]) -> Iterator[Problem | Unevaluated]:
        """Yield the same for any request.

        Args:
            request: What would be sent.
            versions: Minor versions to evaluate in, oldest first; what several say is said once.
        """
        if is_exempt(request.group, request.kind):
            return
        match = matching(self.policy.match, request)
        if match.unknown:
            yield self._unevaluated(match.unknown)
            return
        if not match.matches:
            return
        said: set[Problem | Unevaluated] = set()
        for version in versions:
            for found in self._judged(request, match, version):
                if found not in said:
                    said.add(found)
                    yield found

    def _judged(self, request: Request, match: Matching, version: str) -> Iterator[Problem | Unevaluated]:
        for binding in self.bindings:
            bound = matching(binding.match, request)
            converted = match.version or bound.version
            if bound.unknown:
                yield self._unevaluated(bound.unknown)
            elif bound.matches:
                yield from self._bound(_converted(request, converted), binding, version, converted)

    def _bound(
        self, request: Request, binding: BindingSpec, version: str, converted: str
    ) -> Iterator[Problem | Unevaluated]:
        if converted and request.version != converted and not self._lenient:
            yield self._unevaluated(_CONVERTED.format(version=converted))
            return
        params = params_of(self.policy, binding, request, self._world)
        if isinstance(params, CannotTell):
            yield self._unevaluated(params.reason)
        elif isinstance(params, Misconfigured):
            message = f"failed to configure binding: {params.message}"
            yield from self._told(
                Denial(message=message, unconditional=True) if self.policy.fails else Ignored(message=message), binding
            )
        else:
            for one in params:
                evaluation = Evaluation(self.policy, self._programs[version], request, one)
                for outcome in evaluation.outcomes():
                    if self._lenient and isinstance(outcome, Denial) and outcome.is_error:
                        continue
                    yield from self._told(outcome, binding, self._place(outcome, evaluation, request, version))

    def _told(self, outcome: Outcome, binding: BindingSpec, field: FieldPath = ()) -> Iterator[Problem | Unevaluated]:
        if isinstance(outcome, CannotTell):
            yield self._unevaluated(outcome.reason)
        elif isinstance(outcome, Ignored):
            yield Problem(
                field=field,
                message=outcome.message,
                hint="the API server admits it, for the policy's failurePolicy is Ignore",
                severity=Severity.NOTE,
            )
        else:
            yield Problem(field=field, message=outcome.message, severity=self._severity(outcome, binding))

    def _severity(self, denial: Denial, binding: BindingSpec) -> Severity:
        if denial.unconditional:
            return Severity.ERROR
        return next((severity for action, severity in _ACTIONS if action in binding.actions), self.severity)

    def _place(self, outcome: Outcome, evaluation: Evaluation, request: Request, version: str) -> FieldPath:
        if self._field is not None:
            return self._field
        if not isinstance(outcome, Denial) or outcome.validation is None or outcome.blame is None:
            return ()
        index = outcome.validation
        return field_of(outcome.blame(), request.places, evaluation.variables, lambda: self._read_field(version, index))

    def _read_field(self, version: str, validation: int) -> FieldPath:
        """Return the field that a validation reads: the same whatever the object is."""
        key = version, validation
        if key not in self._fields:
            programs = self._programs[version]
            self._fields[key] = read_field(programs.validations[validation], dict(programs.variables))
        return self._fields[key]

    def _unevaluated(self, reason: str) -> Unevaluated:
        return Unevaluated(reason=f"policy {self.id} not evaluated: {reason}")


def _converted(request: Request, version: str) -> Request:
    """Return the request in another version, where that changes nothing but the version's name."""
    if not version or request.resource.converts or version == request.version:
        return request
    return request.in_version(version)


def _names_custom(rule: ResourceRule) -> bool:
    if rule.resources & {"*", "*/*"}:
        return False
    builtin = {group for group, _ in builtin_resources()}
    return "*" in rule.groups or not rule.groups <= builtin


def _kinds(match: Match) -> tuple[str, ...]:
    """Return the built-in kinds that match rules name, or all where they name others."""
    found: set[str] = set()
    for rule in match.rules:
        if "*" in rule.groups or any("*" in name for name in rule.resources):
            return ("*",)
        for group in rule.groups:
            for plural in rule.resources:
                kind = kinds_by_resource().get((group, plural.partition("/")[0]))
                if kind is None or (group, kind) not in builtin_resources():
                    return ("*",)
                found.add(f"{kind}.{group}" if group else kind)
    return tuple(sorted(found))
