"""The page."""

from gitops_guard.model.judgement import Judgement
from gitops_guard.model.pull import PullPlan
from gitops_guard.report.pull.escape import Links


def page(plan: PullPlan, judgement: Judgement, *, links: Links | None = None) -> str:
    """Return the page."""
    raise NotImplementedError
