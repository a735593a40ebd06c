"""Where a broken reference stands: the few files with one are read again, this time with all their positions."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from gitops_guard.check.judge import _container, _location, _of_rule, _told_apart, _wants
from gitops_guard.check.references import Suspect
from gitops_guard.errors import RepoError
from gitops_guard.links.outline import outline
from gitops_guard.manifest.classify import unfold
from gitops_guard.manifest.document import Document
from gitops_guard.manifest.loader import load
from gitops_guard.model import (
    Body,
    CheckError,
    FieldPath,
    Finding,
    Location,
    Origin,
    Problem,
    References,
    Resource,
    ResourceId,
    Rule,
    RuleContext,
    Skipped,
    Unevaluated,
    fingerprint,
    format_field_path,
)
from gitops_guard.model.resource import resource_id


def placed(suspects: Iterable[Suspect], read: Callable[[str], bytes]) -> list[Finding]:
    """Return findings with lines.

    Args:
        suspects: Sorted by file.
        read: Returns a file's bytes; one that cannot be read any more is reported where it is judged.
    """
    found: list[Finding] = []
    for path, group in groupby(suspects, key=lambda one: one.path):
        try:
            found.extend(_in_file(path, read(path), list(group)))
        except RepoError:
            continue
    return found


def _in_file(path: str, data: bytes, suspects: Sequence[Suspect]) -> Iterable[Finding]:
    places = [
        (document, item, body)
        for document in load(data).documents
        for item, body in unfold(document.body)
        if outline(body) is not None
    ]
    findings = [
        finding(path, *places[one.position], _of_rule(one.rule, one.problem))  # type: ignore[arg-type]  # it has no check
        for one in suspects
        if one.position < len(places)
    ]
    return _told_apart(findings)


def finding(path: str, document: Document, item: FieldPath, body: Body, problem: Problem) -> Finding:
    """Say on which line of a file a problem of one of its resources stands."""
    location = _location(path, document.locate(item + problem.field, on_key=problem.on_key))
    return finding_at(location, path, body, problem)


def finding_at(location: Location, path: str, body: Body, problem: Problem) -> Finding:
    """Say at a place what is wrong with a resource.

    Args:
        location: Where it stands, in whichever file.
        path: The file that the resource comes from.
        body: The resource.
        problem: With rule and severity.
    """
    identity: ResourceId = resource_id(body)
    severity = problem.severity
    assert severity is not None
    found = Finding(
        rule=problem.rule,
        severity=severity,
        message=problem.message,
        resource=identity,
        field=format_field_path(problem.field),
        location=location,
        hint=problem.hint,
        fingerprint=fingerprint(problem.rule, path, identity, problem.field),
    )
    return replace(found, container=_container(body, problem.field))


Contexts = Callable[[str], RuleContext]
"""What a rule may know at a path."""


def judged(
    paths: Iterable[str],
    rules: Sequence[tuple[Rule, Contexts]],
    view: Callable[[str], References],
    read: Callable[[str], bytes],
) -> tuple[list[Finding], list[CheckError], list[Skipped]]:
    """Judge whole resources by rules of plugins that ask for references.

    Args:
        paths: Files to judge.
        rules: Each with what it may know at a path.
        view: Returns what surrounds the objects of a file.
        read: Returns a file's bytes.
    """
    judge = _WholeFiles(rules, view, read)
    for path in paths:
        judge.file(path)
    return judge.findings, judge.errors, judge.skipped


class _WholeFiles:
    def __init__(
        self,
        rules: Sequence[tuple[Rule, Contexts]],
        view: Callable[[str], References],
        read: Callable[[str], bytes],
    ) -> None:
        self._rules = rules
        self._view = view
        self._read = read
        self.findings: list[Finding] = []
        self.errors: list[CheckError] = []
        self.skipped: list[Skipped] = []

    def file(self, path: str) -> None:
        try:
            data = self._read(path)
        except RepoError:
            return  # it is reported where it is judged by itself
        for document in load(data).documents:
            for item, body in unfold(document.body):
                line = document.locate(item).line if item else document.line
                origin = Origin(path=path, document=document.index, line=line, item=item)
                self._resource(document, Resource(id=resource_id(body), body=body, origin=origin))

    def _resource(self, document: Document, resource: Resource) -> None:
        path = resource.origin.path
        for rule, context in self._rules:
            if not _wants(rule, resource.id):
                continue
            known = replace(context(path), references=self._view(path))
            try:
                for one in rule.check(resource, known):
                    if isinstance(one, Unevaluated):
                        self.skipped.append(Skipped(path=path, resource=str(resource.id), reason=one.reason))
                    else:
                        problem = _of_rule(rule, one)
                        self.findings.append(finding(path, document, resource.origin.item, resource.body, problem))
            except Exception as error:  # a plugin's rule may fail in any way; its message may quote a Secret
                message = f"rule {rule.id} failed on {resource.id}: {type(error).__name__}; tell its author"
                self.errors.append(
                    CheckError(path=path, line=resource.origin.line, column=0, rule=rule.id, message=message)
                )
