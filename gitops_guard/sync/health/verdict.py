"""What is said of an object's health, and how its status is read: a field of the wrong type reads as its default."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from gitops_guard.model.sync import HealthStatus


class Verdict(NamedTuple):
    """How an object is."""

    status: HealthStatus
    reason: str = ""
    """One word: `LessReady`."""

    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Where we deviate from kstatus; `STRICT` is kstatus itself."""

    wait_for_ingress: bool = False
    """A Service of type LoadBalancer is only current once it has an address."""

    patient_claims: bool = True
    """A claim that waits for its first consumer is current."""

    scaling_must_be_active: bool = True
    """An autoscaler with ScalingActive=False is still in progress."""

    bare_is_no_signal: bool = True
    """A custom resource without a status is `NoSignal` instead of `Current`."""

    terminal_reasons: frozenset[str] = frozenset(
        ("InstallFailed", "UpgradeFailed", "RetriesExceeded", "BuildFailed", "ValidationFailed", "InvalidSpec")
    )
    """Ready=False with one of these reasons is `Failed`."""


STRICT = Policy(
    patient_claims=False, scaling_must_be_active=False, bare_is_no_signal=False, terminal_reasons=frozenset()
)


class Condition(NamedTuple):
    """One entry of `status.conditions`."""

    type: str
    status: str
    reason: str
    message: str


class MalformedStatusError(Exception):
    """The conditions are not what they have to be; the object's health is unknown."""


def at(node: object, *path: str) -> Mapping[str, Any]:
    """Return the mapping at a path; an empty one where there is none."""
    for name in path:
        node = node.get(name) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else {}


def number(node: Mapping[str, Any], name: str, default: int = 0) -> int:
    """Return a whole number; the default where there is none."""
    found = node.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) else default


def text(node: Mapping[str, Any], name: str) -> str:
    """Return a text; an empty one where there is none."""
    found = node.get(name)
    return found if isinstance(found, str) else ""


def conditions(body: Mapping[str, Any]) -> list[Condition]:
    """Return the conditions in their order.

    Raises:
        MalformedStatusError: They are no list of mappings with a type and a status.
    """
    found = at(body, "status").get("conditions")
    if found is None:
        return []
    if not isinstance(found, list):
        raise MalformedStatusError("status.conditions is no list")
    return list(_read(found))


def _read(found: list[object]) -> Iterator[Condition]:
    for entry in found:
        if not isinstance(entry, dict):
            raise MalformedStatusError("an entry of status.conditions is no mapping")
        if not isinstance(entry.get("type"), str) or not isinstance(entry.get("status"), str):
            raise MalformedStatusError("a condition has no type or no status")
        yield Condition(entry["type"], entry["status"], text(entry, "reason"), text(entry, "message"))


def condition(body: Mapping[str, Any], wanted: str) -> Condition | None:
    """Return the first condition of a type."""
    return next((one for one in conditions(body) if one.type == wanted), None)


def is_true(body: Mapping[str, Any], wanted: str) -> bool:
    """Tell whether a condition is there and True."""
    found = condition(body, wanted)
    return found is not None and found.status == "True"


def current(message: str = "") -> Verdict:
    """Say that it is as it is meant to be."""
    return Verdict(HealthStatus.CURRENT, "", message)


def in_progress(reason: str, message: str = "") -> Verdict:
    """Say that it is on its way."""
    return Verdict(HealthStatus.IN_PROGRESS, reason, message)


def failed(reason: str, message: str = "") -> Verdict:
    """Say that it will not become current by itself."""
    return Verdict(HealthStatus.FAILED, reason, message)
