"""Silence findings that someone accepted for a reason, and report suppressions that do not hold.

Four places can say it: a comment in the manifest, an annotation on the resource, a selector in the configuration, a
waiver (`config.waivers`), which is a selector in a document of its own.

- A comment behind something silences findings on its line. A comment on a line of its own silences findings on the
  next line that holds anything; where a resource or a document starts there, all findings of it.
- An annotation silences findings of its resource.
- A selector or waiver silences what all its parts match.

Each needs a reason and may expire; without reason, expired, or about a rule that does not exist it silences nothing and
is a finding itself. So is one that silenced nothing. These findings cannot be silenced, only switched off by
`severity:`. Everything here is a pure function of its arguments; the day is one of them.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from itertools import chain
from typing import Final

from gitops_guard.check.catalog import HAZARD_RULES
from gitops_guard.check.selector import LabelsOf, Selector, no_labels
from gitops_guard.check.sites import LineRange, Site, find_sites
from gitops_guard.config import Config, NameGlob, Scopes, Waiver
from gitops_guard.model import (
    Finding,
    Location,
    Resource,
    ResourceId,
    Severity,
    WaiverState,
    WaiverUse,
    fingerprint,
)

WITHOUT_REASON: Final = "suppression-without-reason"
EXPIRED: Final = "suppression-expired"
UNUSED: Final = "unused-suppression"
RULES: Final = (WITHOUT_REASON, EXPIRED, UNUSED)
"""Rules about suppressions themselves; all warnings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silenced:
    """A finding that is not reported, and why."""

    finding: Finding
    reason: str
    by: Location
    """Where the suppression stands."""

    until: date | None
    """Last day on which it holds; None: it does not expire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressed:
    """Findings, sorted into those to report and those not."""

    kept: tuple[Finding, ...]
    """What nothing silenced, in the order given."""

    silenced: tuple[Silenced, ...]
    extra: tuple[Finding, ...]
    """Findings about the suppressions themselves, sorted."""

    waivers: tuple[WaiverUse, ...] = ()
    """Each waiver and what it silenced, sorted by place."""


def suppress(
    findings: Iterable[Finding],
    *,
    sources: Mapping[str, str],
    resources: Iterable[Resource],
    config: Config,
    today: date,
    known_rules: Collection[str],
    dormant: Collection[str] = (),
    unread: Collection[str] = (),
    whole_tree: bool = True,
    waivers: Sequence[Waiver] = (),
    labels_of: LabelsOf = no_labels,
) -> Suppressed:
    """Apply every suppression.

    Args:
        findings: Of all files.
        sources: Text by path of every file that may hold a suppression (`markers.may_suppress`).
        resources: Those of the files in `sources`.
        config: Its `suppressions` are applied, its severities decide about the extra findings.
        today: A suppression holds up to and including its last day.
        known_rules: Ids that exist; others are reported with the nearest one.
        dormant: Ids that exist and take no part in this run: nothing about them is called unused.
        unread: Paths that could not be checked wholly: nothing there is called unused.
        whole_tree: Everything was checked; otherwise no selector and no waiver is called unused.
        waivers: Those that count.
        labels_of: Returns the labels of the resource that a finding is about; only asked where a waiver names some.
    """
    known = frozenset(known_rules) | frozenset(RULES) | frozenset(dormant)
    waived = [(waiver, _from_waiver(waiver, known, labels_of)) for waiver in sorted(waivers, key=_place_of)]
    entries = [*_from_files(sources, resources), *_from_config(config), *(entry for _, entry in waived)]
    judge = _Judge(entries, today, known)
    kept: list[Finding] = []
    silenced: list[Silenced] = []
    for finding in findings:
        by = judge.silence(finding)
        if by is None:
            kept.append(finding)
        else:
            silenced.append(Silenced(finding=finding, reason=by.reason, by=by.place, until=by.until))
    scopes = Scopes(config, ())
    asked = [entry for entry in judge.usable if not entry.rules <= frozenset(dormant)]
    unused = list(_unused(asked, scopes, frozenset(unread), whole_tree=whole_tree))
    complaints = [*judge.mistakes(), *(_about(entry, UNUSED, *why) for entry, why in unused)]
    idle = [entry for entry, _ in unused]
    return Suppressed(
        kept=tuple(kept),
        silenced=tuple(silenced),
        extra=_finish(complaints, scopes),
        waivers=tuple(_use(waiver, entry, judge, idle, today) for waiver, entry in waived),
    )


@dataclass(slots=True, kw_only=True, eq=False)
class _Entry:
    """Some rules silenced at one place; keeps what it silenced."""

    rule: str
    """As written: an id; for a waiver its globs, with commas."""

    rules: frozenset[str]
    """The ids that it silences."""

    called: str = "the suppression"
    missing: str = ""
    """A rule that it names and that does not exist."""

    reason: str
    place: Location
    until: date | None = None
    mistake: str = ""
    where: LineRange | Selector
    resource: ResourceId | None = None
    owner: str = ""
    found: list[Finding] = field(default_factory=list)
    is_selector: bool = False
    """It stands outside of the files that it is about."""


class _Judge:
    """Knows which entries may silence, and asks those of the finding's rule."""

    def __init__(self, entries: Sequence[_Entry], today: date, known_rules: frozenset[str]) -> None:
        self._today = today
        self._known_rules = known_rules
        self._complaints: list[Finding] = []
        self.usable: list[_Entry] = []
        for entry in entries:
            if not entry.missing and entry.rules.isdisjoint(self._known_rules):
                entry.missing = entry.rule
                entry.rules = frozenset()
            complaints = list(self._complaints_about(entry))
            self._complaints += [finding for finding, _ in complaints]
            if all(usable for _, usable in complaints):
                self.usable.append(entry)
        self._index: defaultdict[tuple[str, str], list[_Entry]] = defaultdict(list)
        for entry in self.usable:
            for rule in entry.rules:
                self._index[rule, "" if entry.is_selector else entry.place.path].append(entry)

    def silence(self, finding: Finding) -> _Entry | None:
        """Return the first entry that covers a finding; all that do count as used."""
        if finding.rule in RULES:
            return None
        candidates = (self._index.get((finding.rule, path), ()) for path in (finding.location.path, ""))
        covering = [entry for entry in chain.from_iterable(candidates) if entry.where.covers(finding)]
        for entry in covering:
            entry.found.append(finding)
        return covering[0] if covering else None

    def mistakes(self) -> list[Finding]:
        """Return the findings about entries that may not silence."""
        return self._complaints

    def _complaints_about(self, entry: _Entry) -> Iterator[tuple[Finding, bool]]:
        """Yield what is wrong with an entry, and whether it may silence all the same."""
        if not entry.rule:
            yield _about(entry, UNUSED, entry.mistake), False
            return
        if entry.missing:
            close = get_close_matches(entry.missing, sorted(self._known_rules), n=1)
            hint = f'did you mean "{close[0]}"?' if close else ""
            yield _about(entry, UNUSED, f'there is no rule "{entry.missing}"', hint), bool(entry.rules)
            if not entry.rules:
                return
        if entry.mistake:
            yield _about(entry, EXPIRED, entry.mistake), False
        elif not entry.reason:
            message = f'{entry.called} of "{entry.rule}" gives no reason, so it silences nothing'
            yield _about(entry, WITHOUT_REASON, message, "say why the finding is accepted"), False
        elif entry.until is not None and entry.until < self._today:
            message = f'{entry.called} of "{entry.rule}" ended on {entry.until}, so it silences nothing'
            yield _about(entry, EXPIRED, message, "fix the finding, or accept it anew with a later day"), False


def _unused(
    entries: Iterable[_Entry], scopes: Scopes, unread: frozenset[str], *, whole_tree: bool
) -> Iterator[tuple[_Entry, tuple[str, str]]]:
    """Yield what silenced nothing, with message and hint."""
    for entry in entries:
        if entry.found or entry.place.path in unread or (entry.is_selector and not whole_tree):
            continue
        if not HAZARD_RULES.keys().isdisjoint(entry.rules):
            continue  # only `simulate` can tell
        # A rule that is off finds nothing; that says nothing about the suppression.
        scope = scopes.at(entry.place.path)
        if any(scope.severity_of(rule, Severity.NOTE) is not None for rule in entry.rules):
            yield entry, (f'there is no finding of "{entry.rule}" to silence here', "remove it")


def _about(entry: _Entry, rule: str, message: str, hint: str = "") -> Finding:
    owner = f" (owner: {entry.owner})" if entry.owner else ""
    return Finding(
        rule=rule,
        severity=Severity.WARNING,
        message=f"{message}{owner}",
        resource=entry.resource,
        field="",
        location=entry.place,
        hint=hint,
        fingerprint=fingerprint(rule, entry.place.path, entry.resource, (entry.rule,)),
    )


def _finish(complaints: Iterable[Finding], scopes: Scopes) -> tuple[Finding, ...]:
    """Give each its configured severity and a fingerprint of its own."""
    seen: Counter[str] = Counter()
    finished: list[Finding] = []
    for found in sorted(complaints, key=lambda finding: finding.sort_key):
        severity = scopes.at(found.location.path).severity_of(found.rule, found.severity)
        if severity is None:
            continue
        seen[found.fingerprint] += 1
        number = seen[found.fingerprint]
        name = f"{found.fingerprint}-{number}" if number > 1 else found.fingerprint
        finished.append(replace(found, severity=severity, fingerprint=name))
    return tuple(finished)


def _from_config(config: Config) -> Iterator[_Entry]:
    for suppression in config.suppressions:
        line = suppression.line
        yield _Entry(
            rule=suppression.rule,
            rules=frozenset((suppression.rule,)),
            reason=suppression.reason,
            place=Location(path=config.path, line=line, column=1, end_line=line, end_column=1),
            until=_day(suppression.until),
            where=Selector.of_suppression(suppression),
            owner=suppression.owner,
            is_selector=True,
        )


def _from_waiver(waiver: Waiver, known: frozenset[str], labels_of: LabelsOf) -> _Entry:
    fitting = {text: [rule for rule in known if NameGlob(text).matches(rule)] for text in waiver.rules}
    return _Entry(
        rule=", ".join(waiver.rules),
        rules=frozenset(rule for rules in fitting.values() for rule in rules),
        called=f'the waiver "{waiver.name}"',
        missing=next((text for text, rules in fitting.items() if not rules), ""),
        reason=waiver.reason,
        place=Location(path=waiver.path, line=waiver.line, column=1, end_line=waiver.line, end_column=1),
        until=_day(waiver.expires),
        where=Selector.of_waiver(waiver, labels_of),
        owner=waiver.owner,
        is_selector=True,
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _place_of(waiver: Waiver) -> tuple[str, int]:
    return waiver.path, waiver.line


def _use(waiver: Waiver, entry: _Entry, judge: _Judge, idle: Sequence[_Entry], today: date) -> WaiverUse:
    if entry in judge.usable:
        state = WaiverState.UNUSED if entry in idle else WaiverState.IN_FORCE
    else:
        ended = entry.until is not None and entry.until < today
        state = WaiverState.EXPIRED if ended else WaiverState.REFUSED
    return waiver_use(waiver, state, entry.found)


def waiver_use(waiver: Waiver, state: WaiverState, found: Iterable[Finding] = ()) -> WaiverUse:
    """Return a waiver as reports list it."""
    return WaiverUse(
        name=waiver.name,
        path=waiver.path,
        line=waiver.line,
        rules=waiver.rules,
        reason=waiver.reason,
        owner=waiver.owner,
        expires=waiver.expires,
        state=state,
        findings=tuple(sorted(found, key=lambda finding: finding.sort_key)),
    )


def _from_files(sources: Mapping[str, str], resources: Iterable[Resource]) -> Iterator[_Entry]:
    by_path: defaultdict[str, list[Resource]] = defaultdict(list)
    for resource in resources:
        by_path[resource.origin.path].append(resource)
    for path in sorted(sources):
        for site in find_sites(path, sources[path], by_path.get(path, [])):
            yield from _entries(site)


def _entries(site: Site) -> Iterator[_Entry]:
    for rule in site.directive.rules or ("",):
        yield _Entry(
            rule=rule,
            rules=frozenset((rule,)),
            reason=site.directive.reason,
            place=site.place,
            until=site.directive.until,
            mistake=site.directive.mistake,
            where=site.where,
            resource=site.resource,
        )
