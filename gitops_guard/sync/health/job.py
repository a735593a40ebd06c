"""Job and CronJob: as Flux judges them, which is stricter than kstatus about a job that still runs."""

from collections.abc import Mapping
from typing import Any

from gitops_guard.sync.health.verdict import Verdict, at, conditions, current, failed, in_progress


def assess(body: Mapping[str, Any]) -> Verdict:
    """Judge a Job by its conditions, in their order."""
    spec, status = at(body, "spec"), at(body, "status")
    if spec.get("suspend") is True:
        return current("the job is suspended")
    for one in conditions(body):
        if one.type == "Complete" and one.status == "True":
            return current("the job has completed")
        if one.type == "Failed" and one.status == "True":
            return failed("JobFailed", one.message or "the job has failed")
    if not status.get("startTime"):
        return in_progress("JobNotStarted", "the job has not started")
    return in_progress("JobInProgress", "the job is running")
