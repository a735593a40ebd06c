"""Policy folders as tests: `policy.yaml` judged on the manifests of `pass/` and `fail/`.

In a file of `fail/` the mark `# finding: <rule>` stands on every line that has to be reported; a file of `pass/` has
none. Beside `x.yaml` a file `x.before.yaml` may hold the objects as they were: then `x.yaml` is an update of them, and
what it holds no more is removed.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitops_guard.manifest.classify import unfold
from gitops_guard.manifest.document import Document
from gitops_guard.manifest.loader import load as read_stream
from gitops_guard.model import Body, CheckError, FieldPath, Problem, ResourceId, Unevaluated
from gitops_guard.model.resource import resource_id
from gitops_guard.policy.load import PolicySource, load, objects_in
from gitops_guard.policy.packs import is_policy_file
from gitops_guard.policy.request import ObjectKey, Request, World, object_key
from gitops_guard.policy.rule import PolicyRule

PASS, FAIL, UNKNOWN, NEVER = "pass", "fail", "unknown", "never evaluated"
_BEFORE = re.compile(r"\.before(\.ya?ml|\.json)$")
_MARK = re.compile(
    r"[ \t]*#[ \t]*finding:[ \t]*([A-Za-z0-9][-./A-Za-z0-9]*(?:[ \t]*,[ \t]*[A-Za-z0-9][-./A-Za-z0-9]*)*)"
)
_POLICY_WORD = b"ValidatingAdmissionPolicy"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What one policy said about one example."""

    suite: str
    """The policy folder: `policies/image-tag`."""

    case: str
    """`fail/latest.yaml`; empty for what is about the whole folder."""

    policy: str
    """Rule id."""

    resource: str
    """The first resource of the file."""

    expected: str
    """`pass` or `fail`."""

    actual: str
    """`pass`, `fail`, `unknown`, or `never evaluated`."""

    ok: bool
    message: str = ""
    """Which lines differ; empty when it is as expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteResult:
    """What all examples of one folder came to."""

    folder: str
    cases: tuple[CaseResult, ...] = ()
    errors: tuple[CheckError, ...] = ()
    """Policies and examples that cannot be used."""

    found: Mapping[str, tuple[tuple[int, str], ...]]
    """(line, rule) that was found, by example: what the marks should say."""


Files = Mapping[str, bytes]
"""Files by path."""


def folders_of(files: Files) -> list[str]:
    """Return the folders that hold a policy, sorted: each file with one lies in it, examples below it."""
    holding = {posixpath.dirname(path) for path, data in files.items() if is_policy_file(path) and _POLICY_WORD in data}
    return sorted(holding)


def run_suite(folder: str, files: Files, versions: Sequence[str]) -> SuiteResult:
    """Judge the examples of one folder.

    Args:
        folder: One that `folders_of` returned.
        files: All files.
        versions: Kubernetes minor versions.
    """
    own = {path: data for path, data in files.items() if posixpath.dirname(path) == folder and is_policy_file(path)}
    loaded = load(
        [PolicySource(path=path, data=own[path], origin=folder or ".") for path in sorted(own)], versions=versions
    )
    runner = _Runner(folder, loaded.rules, [body for path in sorted(own) for body in objects_in(own[path])], versions)
    if not loaded.errors:
        for path in _examples(folder, files):
            runner.run(path, files)
        runner.finish()
    return SuiteResult(
        folder=folder, cases=tuple(runner.cases), errors=(*loaded.errors, *runner.errors), found=runner.found
    )


def _examples(folder: str, files: Files) -> Iterator[str]:
    prefix = f"{folder}/" if folder else ""
    for path in sorted(files):
        is_inside = path.startswith((f"{prefix}pass/", f"{prefix}fail/"))
        if is_inside and path.endswith((".yaml", ".yml", ".json")) and not _BEFORE.search(path):
            yield path


@dataclass(frozen=True, slots=True)
class _Sent:
    """A request of an example, and how to find its lines."""

    request: Request
    document: Document | None
    """None for a removed object, which is reported on line 1."""

    item: FieldPath

    def line(self, field: FieldPath) -> int:
        return 1 if self.document is None else self.document.locate(self.item + field).line


class _Runner:
    """Runs example after example and counts what each rule has seen."""

    def __init__(self, folder: str, rules: Sequence[PolicyRule], bodies: list[Body], versions: Sequence[str]) -> None:
        self._folder = folder
        self._rules = rules
        self._bodies = bodies
        self._versions = tuple(versions)
        self._seen: set[int] = set()
        self.cases: list[CaseResult] = []
        self.errors: list[CheckError] = []
        self.found: dict[str, tuple[tuple[int, str], ...]] = {}

    def run(self, path: str, files: Files) -> None:
        """Judge one example by all rules."""
        stream = read_stream(files[path])
        unreadable = [problem for problem in stream.problems if problem.unreadable]
        for problem in unreadable:
            place = problem.span
            self.errors.append(
                CheckError(path=path, line=place.line, column=place.column, rule=problem.rule, message=problem.message)
            )
        if unreadable:
            return
        before = _before(path, files)
        world, sent = self._requests(stream.documents, before)
        marks = marks_of(files[path])
        found: set[tuple[int, str]] = set()
        for rule_id in sorted({rule.id for rule in self._rules} | {rule for _, rule in marks}):
            verdict = _Verdict(self._judge(rule_id, world, sent))
            found |= {(line, rule_id) for line in verdict.lines}
            expected = frozenset(line for line, rule in marks if rule == rule_id)
            first = str(_identity(sent)) if sent else ""
            self.cases.append(_case(self._folder, path, rule_id, first, expected, verdict))
        self.found[path] = tuple(sorted(found))

    def finish(self) -> None:
        """Say which policies no example was about."""
        for number, rule in enumerate(self._rules):
            if number not in self._seen:
                self.cases.append(
                    CaseResult(
                        suite=self._folder,
                        case="",
                        policy=rule.id,
                        resource="",
                        expected=FAIL,
                        actual=NEVER,
                        ok=False,
                        message=f"no example is matched by the policy {rule.policy.name}, so it was evaluated 0 times",
                    )
                )

    def _requests(self, documents: Sequence[Document], before: list[Body]) -> tuple[World, list[_Sent]]:
        objects = [(document, item, body) for document in documents for item, body in unfold(document.body)]
        base: dict[ObjectKey, Body] = {object_key(resource_id(body)): body for body in before}
        world = World(bodies=[*self._bodies, *(body for _, _, body in objects)], base=base)
        sent: list[_Sent] = []
        for document, item, body in objects:
            identity = resource_id(body)
            request = world.request(identity, new=body, old=world.before(identity))
            sent.append(_Sent(request, document, item))
            base.pop(object_key(identity), None)
        gone = [_Sent(world.request(resource_id(body), new=None, old=body), None, ()) for body in base.values()]
        return world, [*sent, *gone]

    def _judge(self, rule_id: str, world: World, sent: Sequence[_Sent]) -> Iterator[tuple[int, Problem | Unevaluated]]:
        for number, rule in enumerate(self._rules):
            if rule.id != rule_id:
                continue
            looking = rule.within(world)
            for one in sent:
                if looking.covers(one.request):
                    self._seen.add(number)
                for found in looking.judge(one.request, self._versions):
                    yield (0 if isinstance(found, Unevaluated) else one.line(found.field)), found


class _Verdict:
    """What one rule found in one example."""

    def __init__(self, found: Iterator[tuple[int, Problem | Unevaluated]]) -> None:
        lines: set[int] = set()
        reasons: set[str] = set()
        self.messages: dict[int, str] = {}
        for line, one in found:
            if isinstance(one, Unevaluated):
                reasons.add(one.reason)
            else:
                lines.add(line)
                self.messages.setdefault(line, one.message)
        self.lines = frozenset(lines)
        self.reasons = sorted(reasons)

    @property
    def word(self) -> str:
        return FAIL if self.lines else UNKNOWN if self.reasons else PASS


def _case(folder: str, path: str, rule: str, resource: str, expected: frozenset[int], verdict: _Verdict) -> CaseResult:
    case = path[len(folder) + 1 :] if folder else path
    in_fail = case.startswith("fail/")
    texts = [f"line {line}: not reported" for line in sorted(expected - verdict.lines)]
    texts += [
        f"line {line}: reported without a mark: {verdict.messages[line]}" for line in sorted(verdict.lines - expected)
    ]
    texts += verdict.reasons
    if in_fail and not expected and not texts:
        texts.append(f"the file lies in fail/ and has no mark `# finding: {rule}`")
    if not in_fail and expected:
        texts.append("the file lies in pass/ and has a mark")
    return CaseResult(
        suite=folder,
        case=case,
        policy=rule,
        resource=resource,
        expected=FAIL if in_fail or expected else PASS,
        actual=verdict.word,
        ok=not texts,
        message="; ".join(texts),
    )


def _identity(sent: Sequence[_Sent]) -> ResourceId:
    request = sent[0].request
    return ResourceId(
        group=request.group,
        version=request.version,
        kind=request.kind,
        namespace=request.namespace,
        name=request.name,
    )


def _before(path: str, files: Files) -> list[Body]:
    stem, suffix = posixpath.splitext(path)
    data = files.get(f"{stem}.before{suffix}")
    return [] if data is None else list(objects_in(data))


def marks_of(data: bytes) -> set[tuple[int, str]]:
    """Return (line, rule) of every mark `# finding: RULE` in an example."""
    return {
        (number, rule.strip())
        for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), start=1)
        if (match := _MARK.search(line))
        for rule in match[1].split(",")
    }


def with_marks(data: bytes, found: Sequence[tuple[int, str]]) -> bytes:
    """Return an example with the marks that its findings ask for, and no others."""
    lines = _MARK.sub("", data.decode()).split("\n")
    for line in sorted({line for line, _ in found}):
        rules = ", ".join(sorted(rule for other, rule in found if other == line))
        lines[line - 1] = f"{lines[line - 1].rstrip()}  # finding: {rules}"
    return "\n".join(lines).encode()
