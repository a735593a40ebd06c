"""Judge what units are rendered to, by the rules that plain files are judged by.

A finding stands at the source file and line; where several units show the same one it is told once, with the number of
units. What the plain files were already told about is left out, and what a unit mends (a field that an overlay adds) is
taken back.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gitops_guard.check.circumstances import digest
from gitops_guard.check.evaluate import Surroundings, custom_kinds, kinds_of
from gitops_guard.check.judge import Judge
from gitops_guard.check.scalars import is_about_variable
from gitops_guard.check.setting import FindSchema, Setting
from gitops_guard.check.verdict import FileVerdict, dump, load
from gitops_guard.model import Body, CheckError, Finding, Resource, Skipped
from gitops_guard.model.unit import NOT_RENDERED, RenderedUnit, Unit

_SCHEME = b"unit 1"
_NEVER = 99
_Mark = tuple[str, str, int, str]
_MENDED = frozenset(("missing-field",))
"""What a plain file may lack and a rendered object has; of the engine's rules only this one, and all rules beside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitVerdict:
    """What is known of one unit."""

    unit: Unit
    verdict: FileVerdict
    origins: frozenset[tuple[str, str]]
    """(path, kind) of the objects that were judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What is known of all units that were judged."""

    findings: tuple[Finding, ...] = ()
    """Those that the plain files do not show."""

    mended: frozenset[Finding] = frozenset()
    """Findings on plain files that no rendered object has."""

    errors: tuple[CheckError, ...] = ()
    unrendered: tuple[CheckError, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    units: int = 0
    objects: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCriteria:
    """What rendered objects are judged by."""

    setting_at: Callable[[str, Unit], Setting]
    """What holds for an object of a unit that is written in a file."""

    is_selected: Callable[[str], bool]
    """Whether findings in a file count."""

    engine_rules: Collection[str] = field(default_factory=frozenset)
    """Ids of what the engine itself finds, as opposed to rules and policies."""


def judge_units(units: Sequence[RenderedUnit], criteria: UnitCriteria, surroundings: Surroundings) -> list[UnitVerdict]:
    """Judge the objects of units; what is remembered is not judged again.

    Args:
        units: As rendered.
        criteria: What they are judged by.
        surroundings: Where schemas and remembered verdicts are.
    """
    first = _Pass(criteria, surroundings, None, surroundings.circumstances)
    verdicts = [first.judge(unit) for unit in units]
    waiting = [number for number, verdict in enumerate(verdicts) if verdict.needs_definitions]
    if waiting:
        find, stamp = custom_kinds(surroundings, also=_definitions(units))
        second = _Pass(criteria, surroundings, find, digest(surroundings.circumstances, stamp))
        for number in waiting:
            verdicts[number] = second.judge(units[number])
    return [
        UnitVerdict(
            unit=unit.unit,
            verdict=verdict,
            origins=frozenset((one.resource.origin.path, one.resource.id.kind) for one in unit.objects),
        )
        for unit, verdict in zip(units, verdicts, strict=True)
    ]


def _definitions(units: Iterable[RenderedUnit]) -> list[Body]:
    """Return the CustomResourceDefinitions among rendered objects, each once."""
    found: dict[str, Body] = {}
    for unit in units:
        for one in unit.objects:
            if one.resource.id.kind == "CustomResourceDefinition":
                found.setdefault(one.resource.id.name, one.resource.body)
    return [found[name] for name in sorted(found)]


class _Pass:
    """One way over units with one set of schemas."""

    def __init__(
        self, criteria: UnitCriteria, surroundings: Surroundings, find: FindSchema | None, circumstances: bytes
    ) -> None:
        self._criteria = criteria
        self._surroundings = surroundings
        self._find = find
        self._circumstances = circumstances
        self._remembers = find is None or surroundings.extra_find is None
        self._made: Judge | None = None

    def judge(self, unit: RenderedUnit) -> FileVerdict:
        key = self._key(unit)
        store = self._surroundings.store
        if self._remembers and key in (stored := store.get([key])):
            return load(stored[key])
        verdict = self._judged(unit)
        if self._remembers and not verdict.errors:
            store.put({key: dump(verdict)})
        return verdict

    def _key(self, unit: RenderedUnit) -> bytes:
        told = [f"{unit.unit.kind} {unit.unit.name} {unit.unit.declared_in} {' '.join(unit.unit.clusters)}"]
        told += [f"{path} {blob}" for path, blob in unit.reads]
        for one in unit.objects:
            origin = one.resource.origin
            told.append(f"{origin.path} {origin.document} {origin.line} {origin.item} {one.hook}\n{one.text}")
        return digest(_SCHEME, self._circumstances, *(part.encode("utf-8", "surrogatepass") for part in told))

    def _judged(self, unit: RenderedUnit) -> FileVerdict:
        from gitops_guard.check.rendered_place import ObjectPlaces, UnitSources

        sources = UnitSources(self._surroundings.read, [path for path, _ in unit.reads])
        kept = [one.resource for one in unit.objects if self._criteria.is_selected(one.resource.origin.path)]
        verdicts = [
            self._judge.judge_object(resource, ObjectPlaces(sources, resource), self._setting(resource, unit.unit))
            for resource in kept
        ]
        return _sum(unit.unit, verdicts)

    @property
    def _judge(self) -> "Judge":
        """Everything that judging needs, loaded when the first unit is not remembered."""
        if self._made is None:
            self._made = Judge(kinds_of(self._surroundings, self._find))
        return self._made

    def _setting(self, resource: Resource, unit: Unit) -> Setting:
        return self._criteria.setting_at(resource.origin.path, unit)


def _sum(unit: Unit, verdicts: Sequence[FileVerdict]) -> FileVerdict:
    return FileVerdict(
        path=unit.declared_in,
        resources=sum(verdict.resources for verdict in verdicts),
        validated=sum(verdict.validated for verdict in verdicts),
        schema_only=sum(verdict.schema_only for verdict in verdicts),
        findings=tuple(found for verdict in verdicts for found in verdict.findings),
        errors=tuple(error for verdict in verdicts for error in verdict.errors),
        skipped=tuple(entry for verdict in verdicts for entry in verdict.skipped),
        needs_definitions=any(verdict.needs_definitions for verdict in verdicts),
    )


def put_together(
    verdicts: Sequence[UnitVerdict],
    units: Sequence[RenderedUnit],
    plain: Sequence[Finding],
    criteria: UnitCriteria,
) -> Rendered:
    """Tell what rendering showed beside what the plain files did.

    Args:
        verdicts: Of the units that were judged.
        units: The same units with those that could not be rendered.
        plain: Findings on plain files.
        criteria: What they were judged by.
    """
    told = _severest(plain)
    found = [(verdict.unit, one) for verdict in verdicts for one in verdict.verdict.findings]
    new = [pair for pair in found if pair[1].severity.rank < told.get(_mark(pair[1]), _NEVER)]
    failed = [error for unit in units for error in unit.errors]
    return Rendered(
        findings=tuple(sorted(_merged(new), key=lambda finding: finding.sort_key)),
        mended=frozenset(_mended(verdicts, units, plain, criteria)),
        errors=tuple(
            {error: None for error in failed if not error.message.startswith(NOT_RENDERED)}
            | {error: None for verdict in verdicts for error in verdict.verdict.errors}
        ),
        unrendered=tuple(sorted({error for error in failed if error.message.startswith(NOT_RENDERED)}, key=_place)),
        skipped=tuple(sorted({entry for verdict in verdicts for entry in verdict.verdict.skipped})),
        units=len(verdicts),
        objects=sum(verdict.verdict.resources for verdict in verdicts),
    )


def _place(error: CheckError) -> tuple[str, int, int, str]:
    return error.sort_key


def _severest(findings: Iterable[Finding]) -> dict[_Mark, int]:
    """Return the rank of the severest finding of each mark."""
    ranks: dict[_Mark, int] = {}
    for finding in findings:
        mark = _mark(finding)
        ranks[mark] = min(finding.severity.rank, ranks.get(mark, _NEVER))
    return ranks


def _mark(finding: Finding) -> _Mark:
    """Return what makes a finding on a plain file and one on the object rendered from it the same."""
    return (finding.rule, finding.location.path, finding.location.line, finding.field.rpartition(".")[2])


def _merged(found: Iterable[tuple[Unit, Finding]]) -> Iterator[Finding]:
    """Yield each finding once, with the unit that shows it and how many more do."""
    by_mark: dict[tuple[object, ...], list[tuple[Unit, Finding]]] = {}
    for unit, finding in found:
        by_mark.setdefault((*_mark(finding), finding.message), []).append((unit, finding))
    for same in by_mark.values():
        unit, finding = min(same, key=lambda pair: (pair[0], pair[1].sort_key))
        more = len({other for other, _ in same}) - 1
        others = f" and {more} more unit{'' if more == 1 else 's'}" if more else ""
        yield replace(finding, message=f"{finding.message} (as rendered in {unit.label}{others})")


def _mended(
    verdicts: Sequence[UnitVerdict],
    units: Sequence[RenderedUnit],
    plain: Sequence[Finding],
    criteria: UnitCriteria,
) -> Iterator[Finding]:
    """Yield findings on plain files that none of the objects rendered from these has, where all are known."""
    unsure = {path for unit in units if unit.errors for path, _ in unit.reads}
    seen: Mapping[tuple[str, str], set[str]] = _rules_by_origin(verdicts)
    rendered = _severest(found for verdict in verdicts for found in verdict.verdict.findings)
    for finding in plain:
        key = (finding.location.path, "" if finding.resource is None else finding.resource.kind)
        if key not in seen or finding.location.path in unsure:
            continue
        if is_about_variable(finding):  # the rendered value is the one that counts
            if rendered.get(_mark(finding)) != finding.severity.rank:
                yield finding
        elif _may_be_mended(finding, criteria) and finding.rule not in seen[key]:
            yield finding


def _may_be_mended(finding: Finding, criteria: UnitCriteria) -> bool:
    return finding.rule in _MENDED or finding.rule not in criteria.engine_rules


def _rules_by_origin(verdicts: Iterable[UnitVerdict]) -> dict[tuple[str, str], set[str]]:
    """Return the rules that were found on objects by the file and kind that they come from."""
    found: dict[tuple[str, str], set[str]] = {}
    for one in verdicts:
        for key in one.origins:
            found.setdefault(key, set())
        for finding in one.verdict.findings:
            if finding.resource is not None:
                # The field may stand in a patch, so every file that gives the unit an object of the kind counts.
                for path, kind in one.origins:
                    if kind == finding.resource.kind:
                        found[path, kind].add(finding.rule)
    return found
