"""Which value counts: flag over environment over file over default, decided here and nowhere else."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, NamedTuple

from gitops_guard.config.kubernetes_version import read_version
from gitops_guard.config.model import Config, MissingSchema
from gitops_guard.errors import ConfigError
from gitops_guard.model import Severity

VARIABLES: Final = {
    "kubernetes_versions": "GITOPS_GUARD_KUBERNETES_VERSIONS",
    "fail_on": "GITOPS_GUARD_FAIL_ON",
    "missing_schema": "GITOPS_GUARD_MISSING_SCHEMA",
    "format": "GITOPS_GUARD_FORMAT",
    "colour": "GITOPS_GUARD_COLOUR",
    "cache_dir": "GITOPS_GUARD_CACHE_DIR",
    "jobs": "GITOPS_GUARD_JOBS",
}
"""Environment variable of each setting. An empty one counts as not set."""

FLAGS: Final = {
    "kubernetes_versions": "--kubernetes-version",
    "fail_on": "--fail-on",
    "missing_schema": "--missing-schema",
    "format": "--format",
    "colour": "--colour",
    "cache_dir": "--cache-dir",
    "jobs": "--jobs",
}
"""Command-line flag of each setting, for messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What the command line says, as text; None and empty: it does not."""

    kubernetes_versions: tuple[str, ...] = ()
    fail_on: str | None = None
    missing_schema: str | None = None
    format: str | None = None
    colour: str | None = None
    cache_dir: str | None = None
    jobs: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What holds for this run."""

    kubernetes_versions: tuple[str, ...]
    """Bundled minor versions, oldest first; never empty."""

    fail_on: Severity
    """Least severity that makes the run fail."""

    missing_schema: MissingSchema
    format: str
    """Name of an output format."""

    colour: str
    """`auto` (on a terminal), `always` or `never`."""

    cache_dir: str
    """Where verdicts are kept; empty: nowhere."""

    jobs: int
    """Worker processes; 0: as many as there are processors."""


class _Choice(NamedTuple):
    """A value and who said it, for the error message."""

    value: str
    source: str


def settle(
    flags: Flags,
    environment: Mapping[str, str],
    config: Config,
    *,
    available_versions: Collection[str],
    formats: Collection[str],
) -> Settings:
    """Decide every setting: flag over environment over file over default.

    Args:
        flags: The command line.
        environment: All variables (`os.environ`); only our own, `NO_COLOR`, `XDG_CACHE_HOME` and `HOME` are read.
        config: The file.
        available_versions: Kubernetes minor versions with bundled schemas; the newest one is the default.
        formats: Names of the output formats.

    Raises:
        ConfigError: A value is not allowed; names the flag, variable or file that said it.
    """

    def choose(name: str, in_file: str | None, default: str) -> _Choice:
        flag = getattr(flags, name)
        if flag is not None:
            return _Choice(flag, FLAGS[name])
        if variable := environment.get(VARIABLES[name]):
            return _Choice(variable, VARIABLES[name])
        return _Choice(default, "default") if in_file is None else _Choice(in_file, config.path)

    severities = [str(severity) for severity in Severity]
    return Settings(
        kubernetes_versions=_versions(flags, environment, config, available_versions),
        fail_on=Severity(_one_of(choose("fail_on", config.fail_on, "error"), severities)),
        missing_schema=MissingSchema(
            _one_of(choose("missing_schema", config.missing_schema, "ignore"), [str(word) for word in MissingSchema])
        ),
        format=_one_of(choose("format", None, "text"), formats),
        colour=_one_of(
            choose("colour", None, "never" if environment.get("NO_COLOR") else "auto"), ("auto", "always", "never")
        ),
        cache_dir=choose("cache_dir", None, _cache_dir(environment)).value,
        jobs=_jobs(choose("jobs", None, "0")),
    )


def _versions(
    flags: Flags, environment: Mapping[str, str], config: Config, available: Collection[str]
) -> tuple[str, ...]:
    newest_last = sorted(available, key=_minor)
    variable = environment.get(VARIABLES["kubernetes_versions"], "").replace(",", " ").split()
    if flags.kubernetes_versions:
        source, wanted = FLAGS["kubernetes_versions"], list(flags.kubernetes_versions)
    elif variable:
        source, wanted = VARIABLES["kubernetes_versions"], variable
    elif config.kubernetes_versions:
        source, wanted = config.path, list(config.kubernetes_versions)
    else:
        source, wanted = "default", newest_last[-1:]
    settled = {_bundled(text, source, newest_last) for text in wanted}
    for override in config.overrides:
        for text in override.kubernetes_versions:
            _bundled(text, config.path, newest_last)
    return tuple(sorted(settled, key=_minor))


def _bundled(text: str, source: str, available: list[str]) -> str:
    version = read_version(text)
    if version is None:
        raise ConfigError(f'{text!r} is no Kubernetes version; write it as "1.36"', path=source)
    if version not in available:
        raise ConfigError(f"Kubernetes {version} is not bundled; there are {', '.join(available)}", path=source)
    return version


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _one_of(choice: _Choice, allowed: Collection[str]) -> str:
    if choice.value not in allowed:
        close = get_close_matches(choice.value, list(allowed), n=1)
        hint = f'; did you mean "{close[0]}"?' if close else ""
        choices = ", ".join(allowed)
        raise ConfigError(f"must be one of {choices}, not {choice.value!r}{hint}", path=choice.source)
    return choice.value


def _jobs(choice: _Choice) -> int:
    if not (choice.value.isascii() and choice.value.isdigit() and len(choice.value) <= 4):
        raise ConfigError(
            f"must be a number of processes, 0 for all processors, not {choice.value!r}", path=choice.source
        )
    return int(choice.value)


def _cache_dir(environment: Mapping[str, str]) -> str:
    """Return the user's cache directory by the XDG rule (a relative one is ignored), or nothing without a home."""
    if (base := environment.get("XDG_CACHE_HOME", "")).startswith("/"):
        return f"{base}/gitops-guard"
    if home := environment.get("HOME"):
        return f"{home}/.cache/gitops-guard"
    return ""
