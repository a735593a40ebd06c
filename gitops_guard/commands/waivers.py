"""The waivers of a run: read where the configuration names them and beside its policies, as one set for all trees.

They come from the tree that is checked, as the configuration with its suppressions does; `git+PATH@REV` takes them from
a revision instead, whose authors then decide. Waivers elsewhere in the repository do not count, and are told of.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from gitops_guard.check.selector import LabelsOf
from gitops_guard.check.suppress import UNUSED, waiver_use
from gitops_guard.config import Waiver
from gitops_guard.config.waivers import may_hold_waivers, read_waivers
from gitops_guard.errors import ConfigError, GuardError, RepoError, UsageError
from gitops_guard.model import (
    Body,
    CheckError,
    Finding,
    Location,
    ResourceId,
    Severity,
    WaiverState,
    WaiverUse,
    fingerprint,
)
from gitops_guard.policy.load import PolicySource
from gitops_guard.repo.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Waivers:
    """All that count in a run."""

    found: tuple[Waiver, ...] = ()
    errors: tuple[CheckError, ...] = ()
    """Waivers that cannot be used."""

    paths: frozenset[str] = frozenset()
    """Files in which they count."""


def load_waivers(
    named: Sequence[str],
    beside: Iterable[PolicySource],
    *,
    sources_of: Callable[[str], Sequence[PolicySource]],
    config_path: str,
) -> Waivers:
    """Read what the configuration names, and what lies beside policies.

    Args:
        named: `waivers:` of the configuration.
        beside: Files of policies that the configuration or the command line names.
        sources_of: Reads the files that a name of the configuration means.
        config_path: For messages.

    Raises:
        ConfigError: The configuration names something that is not there.
    """
    files = {source.path: source.data for source in beside}
    for name in named:
        try:
            if name.startswith("pack:"):
                raise UsageError(f"{name}: packs hold no waivers")
            files.update((source.path, source.data) for source in sources_of(name))
        except GuardError as error:
            raise ConfigError(f"waivers: {error}", path=config_path) from error
    waivers: list[Waiver] = []
    errors: list[CheckError] = []
    for path in sorted(files):
        if may_hold_waivers(files[path]):
            read = read_waivers(files[path], path)
            waivers += read.waivers
            errors += [_error(error) for error in read.errors]
    return Waivers(found=tuple(waivers), errors=tuple(errors), paths=frozenset(files))


def _error(error: ConfigError) -> CheckError:
    return CheckError(path=error.path, line=error.line, column=0, message=f"waiver cannot be used: {error.message}")


def elsewhere(tree: Tree, paths: Iterable[str], counting: frozenset[str]) -> Iterator[tuple[WaiverUse, Finding]]:
    """Tell of waivers that do not count.

    Args:
        tree: What was checked.
        paths: Files of it in which waivers were seen.
        counting: Files in which they count.
    """
    for path in sorted(set(paths) - counting):
        for waiver in read_waivers(tree.read(path), path).waivers:
            place = Location(path=path, line=waiver.line, column=1, end_line=waiver.line, end_column=1)
            finding = Finding(
                rule=UNUSED,
                severity=Severity.WARNING,
                message=f'the waiver "{waiver.name}" does not count here, so it silences nothing',
                resource=None,
                field="",
                location=place,
                hint="name its file or directory under `waivers:` in .gitops-guard.yaml",
                fingerprint=fingerprint(UNUSED, path, None, (waiver.name,)),
            )
            yield waiver_use(waiver, WaiverState.REFUSED), finding


def labels_in(tree: Tree) -> LabelsOf:
    """Return how the labels of a finding's resource are found: in the file that the finding is in."""

    @cache
    def of_file(path: str) -> Mapping[ResourceId, Mapping[str, str]]:
        from gitops_guard.check.judge import resources_of  # heavy, and only needed where a waiver names labels

        try:
            return {resource.id: labels_of(resource.body) for resource in resources_of(path, tree.read(path))}
        except RepoError:
            return {}  # a finding about what is not in the tree: the configuration, a removed object

    def of_finding(finding: Finding) -> Mapping[str, str]:
        return {} if finding.resource is None else of_file(finding.location.path).get(finding.resource, {})

    return of_finding


def labels_of(body: Body) -> Mapping[str, str]:
    """Return a resource's labels, as far as they are some."""
    metadata = body.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    if not isinstance(labels, dict):
        return {}
    return {key: value for key, value in labels.items() if isinstance(value, str)}
