"""Whether a run must leave the cluster as it is: suspended in Git or on the parent, or outside of the windows."""

from datetime import UTC, datetime

from gitops_guard.model.sync import GuardTrip
from gitops_guard.sync.request import Request
from gitops_guard.sync.store import SUSPEND
from gitops_guard.sync.windows import closed_reason


def reason_to_rest(request: Request, annotation: str) -> GuardTrip | None:
    """Return why nothing may be written now; None when it may.

    Args:
        request: With what Git says.
        annotation: What the parent's annotation says; a text that is no time suspends for good.
    """
    now = request.now()
    if request.suspended:
        return GuardTrip(name="suspend", message=f"suspended in Git: {request.suspended}", stops="write")
    until = _time(annotation)
    if annotation and (until is None or now < until):
        message = f"suspended by the annotation {SUSPEND}={annotation} of the set's ConfigMap"
        return GuardTrip(name="suspend", message=message, stops="write")
    if closed := closed_reason(request.windows, now):
        return GuardTrip(name="window", message=f"no writes now: {closed}", stops="write")
    return None


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
