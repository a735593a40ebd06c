"""What the configuration says about one path: which files count, and which versions and severities hold there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitops_guard.config.globs import PathSet
from gitops_guard.config.model import Config
from gitops_guard.model import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What holds for the files of one path."""

    kubernetes_versions: tuple[str, ...]
    """Versions to check against."""

    severity: Mapping[str, Severity | None]
    """Severity by rule id; None: off. A rule that is not in it keeps its own."""

    def severity_of(self, rule: str, own: Severity) -> Severity | None:
        """Return the severity of a rule's findings here, or None when the rule is off."""
        return self.severity.get(rule, own)


class Scopes:
    """Compiled once for a run, asked for every path; paths under the same overrides share one `Scope`."""

    def __init__(self, config: Config, kubernetes_versions: Sequence[str]) -> None:
        """Compile the globs.

        Args:
            config: As loaded.
            kubernetes_versions: The settled ones, for paths without an override.
        """
        self._config = config
        self._versions = tuple(kubernetes_versions)
        self._include = PathSet(config.include)
        self._exclude = PathSet(config.exclude)
        self._overrides = tuple((PathSet(override.paths), override) for override in config.overrides)
        self._known: dict[tuple[int, ...], Scope] = {}

    def selected(self, path: str) -> bool:
        """Tell whether a file is to be looked at, by `include` and `exclude`."""
        return (not self._include or self._include.matches(path)) and not self._exclude.matches(path)

    def at(self, path: str) -> Scope:
        """Return what holds for a path; later overrides win over earlier ones and over the file's own keys."""
        matching = tuple(index for index, (paths, _) in enumerate(self._overrides) if paths.matches(path))
        if matching not in self._known:
            self._known[matching] = self._scope(matching)
        return self._known[matching]

    def _scope(self, matching: tuple[int, ...]) -> Scope:
        versions = self._versions
        severity = dict(self._config.severity)
        for index in matching:
            override = self._overrides[index][1]
            versions = override.kubernetes_versions or versions
            severity |= override.severity
            severity |= dict.fromkeys(override.exclude_rules)
        return Scope(kubernetes_versions=versions, severity=severity)
