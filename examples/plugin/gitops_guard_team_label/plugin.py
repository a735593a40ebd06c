"""What gitops-guard asks this package for. Only the hooks are here, so that the rule can be read and tested alone."""

from collections.abc import Sequence

from gitops_guard.hookspecs import hookimpl
from gitops_guard.model import Rule
from gitops_guard_team_label.missing_team_label import MissingTeamLabel


@hookimpl
def gitops_guard_rules() -> Sequence[Rule]:
    """Return the rules that this plugin adds. Called once a run, before the first resource is judged."""
    return (MissingTeamLabel(),)
