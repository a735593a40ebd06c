"""Silence findings that someone accepted for a reason, and report suppressions that do not hold.

Three places can say it: a comment in the manifest, an annotation on the resource, a selector in the configuration.

- A comment behind something silences findings on its line. A comment on a line of its own silences findings on the
  next line that holds anything; where a resource or a document starts there, all findings of it.
- An annotation silences findings of its resource.
- A selector silences what all its parts match.

Each needs a reason and may expire; without reason, expired, or about a rule that does not exist it silences nothing and
is a finding itself. So is one that silenced nothing. These findings cannot be silenced, only switched off by
`severity:`. Everything here is a pure function of its arguments; the day is one of them.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from itertools import chain
from typing import Final

from gitops_guard.check.catalog import HAZARD_RULES
from gitops_guard.check.sites import LineRange, Site, find_sites
from gitops_guard.config import Config, FieldGlob, NameGlob, PathSet, Scopes, Suppression
from gitops_guard.model import Finding, Location, Resource, ResourceId, Severity, fingerprint

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
        whole_tree: Everything was checked; otherwise a selector of the configuration is not called unused.
    """
    entries = [*_from_files(sources, resources), *_from_config(config)]
    judge = _Judge(entries, today, frozenset(known_rules) | frozenset(RULES) | frozenset(dormant))
    kept: list[Finding] = []
    silenced: list[Silenced] = []
    for finding in findings:
        by = judge.silence(finding)
        if by is None:
            kept.append(finding)
        else:
            silenced.append(Silenced(finding=finding, reason=by.reason, by=by.place, until=by.until))
    scopes = Scopes(config, ())
    complaints = [
        *judge.mistakes(),
        *_unused(
            [entry for entry in judge.usable if entry.rule not in dormant],
            scopes,
            frozenset(unread),
            whole_tree=whole_tree,
        ),
    ]
    return Suppressed(kept=tuple(kept), silenced=tuple(silenced), extra=_finish(complaints, scopes))


@dataclass(slots=True, kw_only=True)
class _Entry:
    """One rule silenced at one place; counts what it silenced."""

    rule: str
    reason: str
    place: Location
    until: date | None = None
    mistake: str = ""
    where: "LineRange | _Selector"
    resource: ResourceId | None = None
    owner: str = ""
    used: bool = False
    in_config: bool = False


class _Selector:
    """What a selector of the configuration matches."""

    def __init__(self, suppression: Suppression) -> None:
        self._kind, _, self._group = suppression.kind.partition(".")
        self._name = NameGlob(suppression.name) if suppression.name else None
        self._namespace = NameGlob(suppression.namespace) if suppression.namespace else None
        self._path = PathSet((suppression.path,)) if suppression.path else None
        self._field = FieldGlob(suppression.field) if suppression.field else None
        self._container = NameGlob(suppression.container) if suppression.container else None

    def covers(self, finding: Finding) -> bool:
        if self._path and not self._path.matches(finding.location.path):
            return False
        if self._field and not self._field.matches(finding.field):
            return False
        if self._container and not (finding.container and self._container.matches(finding.container)):
            return False
        return self._covers_resource(finding.resource)

    def _covers_resource(self, resource: ResourceId | None) -> bool:
        if resource is None:
            return not (self._kind or self._name or self._namespace)
        return (
            self._kind in ("", resource.kind)
            and self._group in ("", resource.group)
            and (self._name is None or self._name.matches(resource.name))
            and (self._namespace is None or self._namespace.matches(resource.namespace))
        )


class _Judge:
    """Knows which entries may silence, and asks those of the finding's rule."""

    def __init__(self, entries: Sequence[_Entry], today: date, known_rules: frozenset[str]) -> None:
        self._today = today
        self._known_rules = known_rules
        self._complaints: list[Finding] = []
        self.usable: list[_Entry] = []
        for entry in entries:
            complaint = self._complaint(entry)
            if complaint is None:
                self.usable.append(entry)
            else:
                self._complaints.append(complaint)
        self._index: defaultdict[tuple[str, str], list[_Entry]] = defaultdict(list)
        for entry in self.usable:
            self._index[entry.rule, "" if entry.in_config else entry.place.path].append(entry)

    def silence(self, finding: Finding) -> _Entry | None:
        """Return the first entry that covers a finding; all that do count as used."""
        if finding.rule in RULES:
            return None
        candidates = (self._index.get((finding.rule, path), ()) for path in (finding.location.path, ""))
        covering = [entry for entry in chain.from_iterable(candidates) if entry.where.covers(finding)]
        for entry in covering:
            entry.used = True
        return covering[0] if covering else None

    def mistakes(self) -> list[Finding]:
        """Return the findings about entries that may not silence."""
        return self._complaints

    def _complaint(self, entry: _Entry) -> Finding | None:
        if not entry.rule:
            return _about(entry, UNUSED, entry.mistake)
        if entry.rule not in self._known_rules:
            close = get_close_matches(entry.rule, sorted(self._known_rules), n=1)
            hint = f'did you mean "{close[0]}"?' if close else ""
            return _about(entry, UNUSED, f'there is no rule "{entry.rule}"', hint)
        if entry.mistake:
            return _about(entry, EXPIRED, entry.mistake)
        if not entry.reason:
            message = f'the suppression of "{entry.rule}" gives no reason, so it silences nothing'
            return _about(entry, WITHOUT_REASON, message, "say why the finding is accepted")
        if entry.until is not None and entry.until < self._today:
            message = f'the suppression of "{entry.rule}" ended on {entry.until}, so it silences nothing'
            return _about(entry, EXPIRED, message, "fix the finding, or accept it anew with a later day")
        return None


def _unused(
    entries: Iterable[_Entry], scopes: Scopes, unread: frozenset[str], *, whole_tree: bool
) -> Iterator[Finding]:
    for entry in entries:
        if entry.used or entry.place.path in unread or (entry.in_config and not whole_tree):
            continue
        if entry.rule in HAZARD_RULES:
            continue  # only `simulate` can tell
        # A rule that is off finds nothing; that says nothing about the suppression.
        if scopes.at(entry.place.path).severity_of(entry.rule, Severity.NOTE) is not None:
            yield _about(entry, UNUSED, f'there is no finding of "{entry.rule}" to silence here', "remove it")


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
            reason=suppression.reason,
            place=Location(path=config.path, line=line, column=1, end_line=line, end_column=1),
            until=date.fromisoformat(suppression.until) if suppression.until else None,
            where=_Selector(suppression),
            owner=suppression.owner,
            in_config=True,
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
            reason=site.directive.reason,
            place=site.place,
            until=site.directive.until,
            mistake=site.directive.mistake,
            where=site.where,
            resource=site.resource,
        )
