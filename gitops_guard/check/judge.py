"""The full path for one file: load it, tell what it is, check each resource, and say where each problem stands."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Protocol

from gitops_guard.check.catalog import ENGINE_RULES
from gitops_guard.check.kinds import Checked, Examination, Kinds
from gitops_guard.check.scalars import moot, rephrased, softened
from gitops_guard.check.setting import Role, Setting
from gitops_guard.check.skip_reasons import WAIVER
from gitops_guard.check.verdict import FileVerdict
from gitops_guard.config.waivers import GROUP, KIND
from gitops_guard.errors import GuardError, PluginError, RepoError
from gitops_guard.manifest.classify import SkipReason, not_a_manifest, unfold
from gitops_guard.manifest.document import Document, Scalar, SourceProblem, Stream
from gitops_guard.manifest.loader import load
from gitops_guard.model import (
    Body,
    CheckError,
    FieldPath,
    Finding,
    Location,
    Origin,
    Problem,
    Resource,
    ResourceId,
    Rule,
    Severity,
    Skipped,
    Span,
    Unevaluated,
    fingerprint,
    format_field_path,
    resolve_field_path,
)
from gitops_guard.model.renderer import RenderedResource, Renderer
from gitops_guard.model.resource import resource_id
from gitops_guard.repo.filters import filtered_reason

OUR_NAME = b"gitops-guard"
NO_SCHEMA = "no schema"
_CONTAINER_LISTS = ("containers", "initContainers", "ephemeralContainers")
SOPS = "encrypted with SOPS"


class Judge:
    """Judges files one by one; holds no state between them."""

    def __init__(
        self, kinds: Kinds, *, renderers: Sequence[Renderer] = (), read: Callable[[str], bytes] | None = None
    ) -> None:
        """Keep what decides.

        Args:
            kinds: What the target versions say.
            renderers: Plugins' renderers, in the order in which they are asked.
            read: Reads other files of the tree, for the renderers.
        """
        self._kinds = kinds
        self._renderers = renderers
        self._read = read or _nothing_to_read

    def judge(self, path: str, data: bytes, setting: Setting, role: Role) -> FileVerdict:
        """Return the verdict on one file.

        Args:
            path: Repository path.
            data: The file's bytes.
            setting: Versions and rules that hold for the path.
            role: How the tree uses the file.
        """
        if reason := filtered_reason(data[:1024]):
            return _skipped(path, reason)
        renderer = next((renderer for renderer in self._renderers if renderer.claims(path)), None)
        if renderer is not None:
            return self._judge_rendered(renderer, path, data, setting, role)
        stream = load(data, dialect=role.dialect)
        reason = not_a_manifest(path, data, stream)
        judge = _FileJudge(self._kinds, path, data, setting, role)
        if reason is SkipReason.EMPTY:
            return replace(judge.verdict(stream), skipped=(Skipped(path=path, resource="", reason=str(reason)),))
        return judge.verdict(stream) if reason is None else _skipped(path, str(reason))

    def judge_object(self, resource: Resource, places: "_Located", setting: Setting) -> FileVerdict:
        """Return the verdict on one object that a unit was rendered to.

        Args:
            resource: The object; its origin is where it is written.
            places: Says where its fields are written, in whichever file.
            setting: Versions and rules that hold for it.
        """
        judge = _FileJudge(self._kinds, resource.origin.path, b"", setting, Role())
        return judge.object_verdict(resource.body, places)

    def _judge_rendered(self, renderer: Renderer, path: str, data: bytes, setting: Setting, role: Role) -> FileVerdict:
        judge = _FileJudge(self._kinds, path, data, setting, role)
        try:
            resources = [_sound(rendered) for rendered in renderer.render(path, data, self._read)]
        except GuardError as error:
            return FileVerdict(path=path, errors=(CheckError(path=path, line=1, column=0, message=str(error)),))
        except Exception as error:  # a renderer may fail in any way; its message may quote a Secret
            message = f"renderer {renderer.name} failed: {type(error).__name__}; report it to the renderer's author"
            return FileVerdict(path=path, errors=(CheckError(path=path, line=1, column=0, message=message),))
        return judge.rendered_verdict(resources)


def _skipped(path: str, reason: str) -> FileVerdict:
    return FileVerdict(path=path, skipped=(Skipped(path=path, resource="", reason=reason),))


class _FileJudge:
    """One file being judged."""

    def __init__(self, kinds: Kinds, path: str, data: bytes, setting: Setting, role: Role) -> None:
        self._kinds = kinds
        self._path = path
        self._data = data
        self._setting = setting
        self._role = role
        self._findings: list[Finding] = []
        self._errors: list[CheckError] = []
        self._skips: list[Skipped] = []
        self._counts = dict.fromkeys(Checked, 0)
        self._resources = 0
        self._custom = False

    def verdict(self, stream: Stream) -> FileVerdict:
        """Judge what the loader read."""
        remarks = [problem for problem in stream.problems if not problem.unreadable]
        self._errors.extend(self._error(problem) for problem in stream.problems if problem.unreadable)
        for document in stream.documents:
            self._document(document, [remark for remark in remarks if remark.document == document.index])
        readable = {document.index for document in stream.documents}
        elsewhere = [remark for remark in remarks if remark.document not in readable]
        self._findings.extend(self._source_finding(remark, None, ()) for remark in elsewhere)
        return self._sum()

    def rendered_verdict(self, resources: Sequence[RenderedResource]) -> FileVerdict:
        """Judge what a renderer made of the file."""
        for number, rendered in enumerate(resources):
            self._resource(_RenderedDocument(number, rendered.line), (), rendered.body, ())
        return self._sum()

    def object_verdict(self, body: Body, places: "_Located") -> FileVerdict:
        """Judge one object of a unit."""
        self._resource(places, (), body, ())
        return self._sum()

    def _sum(self) -> FileVerdict:
        return FileVerdict(
            path=self._path,
            resources=self._resources,
            validated=self._counts[Checked.WHOLLY],
            schema_only=self._counts[Checked.SCHEMA_ONLY],
            findings=tuple(_told_apart(self._findings)),
            errors=tuple(self._errors),
            skipped=tuple(self._skips),
            needs_definitions=self._custom,
            mentions_us=OUR_NAME in self._data,
        )

    def _document(self, document: Document, remarks: Sequence[SourceProblem]) -> None:
        resources = list(unfold(document.body))
        for item, body in resources:
            if not self._is_waiver(body):
                self._resource(document, item, body, remarks)
        if not resources:
            self._findings.extend(self._source_finding(remark, None, ()) for remark in remarks)

    def _is_waiver(self, body: Body) -> bool:
        """Tell whether a document is ours: noted, but no resource of the cluster's."""
        identity = resource_id(body)
        if (identity.group, identity.kind) != (GROUP, KIND):
            return False
        self._skips.append(Skipped(path=self._path, resource=str(identity), reason=WAIVER))
        return True

    def _resource(self, document: "_Located", item: FieldPath, body: Body, remarks: Sequence[SourceProblem]) -> None:
        self._resources += 1
        identity = resource_id(body)
        if _is_sops(body):
            self._skips.append(Skipped(path=self._path, resource=str(identity), reason=SOPS))
            return
        span = document.locate(item) if item else None
        line = span.line if span else document.line
        origin = Origin(path=self._path, document=document.index, line=line, item=item)
        outcome = self._examine(identity, body)
        self._custom = self._custom or outcome.custom
        if outcome.checked is Checked.NO_SCHEMA:  # whatever is found: the finding may be off or accepted
            self._skips.append(Skipped(path=self._path, resource=str(identity), reason=NO_SCHEMA))
        problems = [self._as_written(problem, document.scalar(item + problem.field)) for problem in outcome.problems]
        resource = Resource(id=identity, body=body, origin=origin)
        open_questions = len(self._skips)
        problems += self._rule_problems(resource)
        # what a rule cannot tell is not checked wholly
        checked = outcome.checked
        if checked is Checked.WHOLLY and len(self._skips) > open_questions:
            checked = Checked.SCHEMA_ONLY
        self._counts[checked] += 1
        own = [remark for remark in remarks if remark.field is None or remark.field[: len(item)] == item]
        has_schema = outcome.checked is not Checked.NO_SCHEMA
        for remark in own:
            if not moot(remark, problems, item, has_schema=has_schema):
                self._findings.append(self._source_finding(remark, identity, item))
        for problem in problems:
            span = document.locate(item + problem.field, on_key=problem.on_key)
            found = self._finding(problem, identity, span)
            self._findings.append(replace(found, container=_container(body, problem.field)))

    @staticmethod
    def _as_written(problem: Problem, scalar: Scalar | None) -> Problem:
        """Let the way in which a scalar is written have its say."""
        return softened(rephrased(problem, scalar), scalar)

    def _examine(self, identity: ResourceId, body: Body) -> Examination:
        if wrong := tuple(_identity_problems(body)):
            return Examination(problems=wrong, checked=Checked.NO_SCHEMA)
        outcome = self._kinds.examine(identity, body, self._setting.versions)
        if not self._role.is_patch:
            return outcome
        kept = tuple(problem for problem in outcome.problems if not _excused_in_patch(problem))
        return replace(outcome, problems=kept)

    def _rule_problems(self, resource: Resource) -> list[Problem]:
        problems: list[Problem] = []
        if self._role.is_patch:
            return problems  # a rule judges a whole resource, and a patch is a part of one
        for rule, context in self._setting.rules:
            if not _wants(rule, resource.id):
                continue
            try:
                for found in rule.check(resource, context):
                    if isinstance(found, Unevaluated):
                        self._skips.append(Skipped(path=self._path, resource=str(resource.id), reason=found.reason))
                    else:
                        problems.append(_of_rule(rule, found))
            except Exception as error:  # a rule may fail in any way
                self._errors.append(
                    CheckError(
                        path=self._path,
                        line=resource.origin.line,
                        column=0,
                        rule=rule.id,
                        message=f"rule {rule.id} failed on {resource.id}: {_described(error)}",
                    )
                )
        return problems

    def _finding(self, problem: Problem, identity: ResourceId, span: Span | Location) -> Finding:
        info = ENGINE_RULES.get(problem.rule)
        own = info.severity if info else Severity.ERROR
        return Finding(
            rule=problem.rule,
            severity=problem.severity or own,
            message=problem.message,
            resource=identity,
            field=format_field_path(problem.field),
            location=_location(self._path, span),
            hint=problem.hint,
            fingerprint=fingerprint(problem.rule, self._path, identity, problem.field),
        )

    def _source_finding(self, remark: SourceProblem, identity: ResourceId | None, item: FieldPath) -> Finding:
        field = remark.field[len(item) :] if remark.field else ()
        return Finding(
            rule=remark.rule,
            severity=remark.severity,
            message=remark.message,
            resource=identity,
            field=format_field_path(field),
            location=_location(self._path, remark.span),
            hint=remark.hint,
            fingerprint=fingerprint(remark.rule, self._path, identity, field),
        )

    def _error(self, problem: SourceProblem) -> CheckError:
        hint = f"; {problem.hint}" if problem.hint else ""
        return CheckError(
            path=self._path,
            line=problem.span.line,
            column=problem.span.column,
            rule=problem.rule,
            message=f"{problem.message}{hint}",
        )


def _is_sops(body: Body) -> bool:
    """Tell whether SOPS encrypted the values: the controller decrypts them and drops the key before it applies."""
    metadata = body.get("sops")
    return isinstance(metadata, dict) and "mac" in metadata and "lastmodified" in metadata


def resources_of(path: str, data: bytes) -> Iterator[Resource]:
    """Yield the resources of a manifest file, as far as it can be read."""
    yield from resources_in(path, load(data))


def resources_in(path: str, stream: Stream) -> Iterator[Resource]:
    """Yield the resources of a manifest file that was read already."""
    for document in stream.documents:
        for item, body in unfold(document.body):
            line = document.locate(item).line if item else document.line
            origin = Origin(path=path, document=document.index, line=line, item=item)
            yield Resource(id=resource_id(body), body=body, origin=origin)


class _Located(Protocol):
    """What says where the fields of an object stand."""

    @property
    def index(self) -> int: ...

    @property
    def line(self) -> int: ...

    def locate(self, path: FieldPath, *, on_key: bool = False) -> Span | Location: ...

    def scalar(self, path: FieldPath) -> Scalar | None: ...


class _RenderedDocument:
    """Stands for a document where only the line of the source is known."""

    def __init__(self, index: int, line: int) -> None:
        self.index = index
        self.line = line

    def locate(self, path: FieldPath, *, on_key: bool = False) -> Span:
        del path, on_key
        return Span(line=self.line, column=1, end_line=self.line, end_column=1)

    def scalar(self, path: FieldPath) -> None:
        del path


def _described(error: Exception) -> str:
    """Say how a rule failed: its message may quote a Secret, so the type and the line in its code must do."""
    from gitops_guard.authoring.places import failed_at  # only needed where a rule fails

    what = str(error) if isinstance(error, PluginError) else type(error).__name__
    place = failed_at(error.__traceback__)
    return f"{what} at {place}; tell its author" if place else f"{what}; tell its author"


def _of_rule(rule: Rule, problem: Problem) -> Problem:
    """Return a rule's problem under the rule's name; one that is none is the rule's failure, and raises here."""
    if not isinstance(problem, Problem):
        raise PluginError(f"it yields a {type(problem).__name__}, and not a Problem")
    parts = tuple(problem.field)
    if not all(isinstance(part, (str, int)) for part in parts) or not isinstance(problem.message, str):
        raise TypeError("a problem needs a field path and a message")
    return replace(problem, field=parts, rule=rule.id, severity=Severity(problem.severity or rule.severity))


def _sound(rendered: RenderedResource) -> RenderedResource:
    """Return a rendered resource that is one; otherwise it is the renderer's failure, and raises here."""
    if not isinstance(rendered.body, dict) or not isinstance(rendered.line, int):
        raise TypeError("a rendered resource needs a mapping as body and a line")
    return rendered


def _nothing_to_read(path: str) -> bytes:
    raise RepoError(f"{path}: no other file can be read here")


def _location(path: str, span: Span | Location) -> Location:
    if isinstance(span, Location):
        return span  # a rendered object's field may stand in another file than the object
    return Location(path=path, line=span.line, column=span.column, end_line=span.end_line, end_column=span.end_column)


def _identity_problems(body: Body) -> Iterator[Problem]:
    """Say what is wrong with the two fields by which the API server finds the kind."""
    for key in ("apiVersion", "kind"):
        value = body.get(key)
        if not value and not isinstance(value, (bool, int)):
            yield Problem(field=(key,), rule="missing-field", message="Required value")
        elif not isinstance(value, str):
            yield Problem(field=(key,), rule="wrong-type", message=f"expected string, got {_type_word(value)}")


_TYPE_WORDS: Mapping[type, str] = {
    bool: "boolean", int: "integer", float: "number", list: "array", dict: "object", type(None): "null",
}  # fmt: skip


def _type_word(value: object) -> str:
    return _TYPE_WORDS.get(type(value), type(value).__name__)


def _excused_in_patch(problem: Problem) -> bool:
    """A strategic merge patch holds only what it changes, and directives that start with a dollar sign."""
    return problem.rule == "missing-field" or any(
        isinstance(element, str) and element.startswith("$") for element in problem.field
    )


def _container(body: Body, field: FieldPath) -> str:
    """Return the name of the container that a field lies in."""
    for index, (key, position) in enumerate(pairwise(field)):
        if key in _CONTAINER_LISTS and isinstance(position, int):
            try:
                container = resolve_field_path(body, field[: index + 2])
            except LookupError:
                return ""
            name = container.get("name") if isinstance(container, dict) else None
            return name if isinstance(name, str) else ""
    return ""


def _wants(rule: Rule, resource: ResourceId) -> bool:
    kinds = rule.kinds
    return "*" in kinds or resource.kind in kinds or f"{resource.kind}.{resource.group}" in kinds


def _told_apart(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Number findings that share rule, resource and field, so that each fingerprint names one."""
    seen: dict[str, int] = {}
    for finding in sorted(findings, key=lambda found: found.sort_key):
        number = seen[finding.fingerprint] = seen.get(finding.fingerprint, 0) + 1
        yield finding if number == 1 else replace(finding, fingerprint=f"{finding.fingerprint}-{number}")
