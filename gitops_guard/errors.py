"""Everything that gitops-guard raises on purpose. Only `cli.py` catches broadly.

    GuardError                  could not do what was asked (exit code 2)
    +-- UsageError              a flag or argument is wrong
    +-- ConfigError             the configuration file is wrong; names key, line and nearest known key
    +-- RepoError               a repository, revision or file cannot be read
    +-- SyncError               a set of objects cannot be synced: its parent, inventory, lock or plan is at fault
    +-- SchemaError             a schema cannot be used
    +-- PluginError             a plugin cannot be loaded; names distribution and version
    +-- BaselineError           a baseline file cannot be read or written
    +-- ForgeError              a code host refuses, or cannot be reached; names the call and the answer's status
    +-- PlanError               a plan.json is not to be trusted, or does not belong to this pull request
    +-- ClusterError            a cluster cannot be asked, or says no; its kinds are in `cluster.errors`
    +-- WorkerError             a worker process ended before it had delivered its results

Each holds its data and builds its text in `__str__`; a text says what is wrong, where, and what to do.
"""


class GuardError(Exception):
    """Could not do what was asked: the user's input or surroundings are at fault, not the program."""


class UsageError(GuardError):
    """A flag or argument is wrong."""


class ConfigError(GuardError):
    """The configuration is wrong."""

    def __init__(self, message: str, *, path: str, line: int = 0) -> None:
        super().__init__(message, path, line)
        self.message = message
        self.path = path
        self.line = line
        """1-based; 0 when no line is to blame."""

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.message}"


class RepoError(GuardError):
    """A repository, revision or file cannot be read."""


class SyncError(GuardError):
    """A set of objects cannot be synced; nothing was pruned."""


class SchemaError(GuardError):
    """A schema cannot be used."""


class PluginError(GuardError):
    """A plugin cannot be loaded."""


class BaselineError(GuardError):
    """A baseline file cannot be read or written."""


class ForgeError(GuardError):
    """A code host refuses what was asked, or cannot be reached."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message, status)
        self.message = message
        self.status = status
        """Of the HTTP answer; 0 where there was none."""

    def __str__(self) -> str:
        return self.message


class PlanError(GuardError):
    """A plan.json cannot be used: wrong form, too large, or not of this pull request and commit."""


class ClusterError(GuardError):
    """A cluster cannot be asked, or says no; `gitops_guard.cluster` says which of the two, and why."""


class WorkerError(GuardError):
    """A worker process was killed, or ran out of memory; nothing it did is believed."""
