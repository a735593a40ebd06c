"""Hooks of Argo CD and Helm: what runs once before, with, or after a unit whenever Git wants something else of it.

A hook is no member of the set: it is neither compared nor pruned. It is due when what Git wants of its unit differs
from what it last ran for, which the inventory remembers, so that a run that only corrects drift runs none. What each
word means follows Argo CD, which reads Helm's words so, too.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from gitops_guard.model import Body, Origin, ResourceId
from gitops_guard.sync.objects import Desired, metadata_of, short_hash, strings_of

RUN: Final = "gitops-guard.io/hook-run"
"""Annotation of a hook that was made: for which state of its unit."""

_RUNNING: Final = frozenset((("batch", "Job"), ("", "Pod"), ("argoproj.io", "Workflow")))
_SEEN_FOR_S: Final = 600
"""A Job that deletes itself sooner would be gone before its end is seen."""

_DELETE_POLICIES: Final = ("argocd.argoproj.io/hook-delete-policy", "helm.sh/hook-delete-policy")
_WEIGHTS: Final = ("argocd.argoproj.io/sync-wave", "helm.sh/hook-weight")


Maker = Callable[[ResourceId, Body, Origin, str], Desired]
"""Makes an object as it is sent, from its name, body, origin and unit."""


class Phase(StrEnum):
    """When a hook runs."""

    PRE = "pre"
    """Before anything else of its unit is written, but namespaces and definitions."""

    SYNC = "sync"
    """Together with the unit's objects, by wave."""

    POST = "post"
    """After all of its unit is applied and healthy."""


_PHASES: Final = {
    "presync": Phase.PRE,
    "pre-install": Phase.PRE,
    "pre-upgrade": Phase.PRE,
    "sync": Phase.SYNC,
    "postsync": Phase.POST,
    "post-install": Phase.POST,
    "post-upgrade": Phase.POST,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One hook."""

    desired: Desired
    """As it is sent, without the set's label."""

    phase: Phase
    word: str
    """As it is written: `PreSync`, `pre-install,pre-upgrade`."""

    wave: int = 0
    delete_when_done: bool = False
    delete_when_failed: bool = False
    state: str = ""
    """Hash of what Git wants of its unit; empty until that is known."""

    @property
    def runs(self) -> bool:
        """Tell whether it is something that comes to an end; what does not, such as a ConfigMap, is only applied."""
        return (self.desired.key.group, self.desired.key.kind) in _RUNNING

    @property
    def memory(self) -> str:
        """Return under what the inventory remembers for which state it ran."""
        return f"{self.phase} {self.desired.unit}"


def phase_of(words: str) -> Phase | None:
    """Return when a hook runs; None for one that does not: tests, hooks on failure, deletion and rollback, `Skip`."""
    found = [_PHASES.get(word.strip().casefold()) for word in words.split(",")]
    return next((phase for phase in found if phase is not None), None)


def hook(one: ResourceId, body: Body, origin: Origin, *, words: str, unit: str, make: Maker) -> Hook:
    """Make a hook as it is sent.

    Args:
        one: Its name, with the namespace that it goes to; `migrate-*` for one whose name the server is to make.
        body: As it is written or rendered.
        origin: Where it was written.
        words: When it runs, as written.
        unit: What it is deployed with.
        make: Makes the object.
    """
    phase = phase_of(words)
    assert phase is not None
    annotations = strings_of(metadata_of(body).get("annotations"))
    policies = {
        word.strip().casefold().replace("-", "")
        for name in _DELETE_POLICIES
        for word in annotations.get(name, "").split(",")
    }
    return Hook(
        desired=make(one, _lasting(body), origin, unit),
        phase=phase,
        word=words,
        wave=next((wave for name in _WEIGHTS if (wave := _whole(annotations.get(name, ""))) is not None), 0),
        delete_when_done="hooksucceeded" in policies,
        delete_when_failed="hookfailed" in policies,
    )


def _lasting(body: Body) -> Body:
    spec = body.get("spec")
    lasts_s = spec.get("ttlSecondsAfterFinished") if isinstance(spec, dict) else None
    if body.get("kind") != "Job" or not isinstance(spec, dict) or not isinstance(lasts_s, int):
        return body
    return {**body, "spec": {**spec, "ttlSecondsAfterFinished": max(lasts_s, _SEEN_FOR_S)}}


def _whole(text: str) -> int | None:
    short = text.strip()
    return int(short) if short.removeprefix("-").isdecimal() and short.isascii() and len(short) < 10 else None


def due(hooks: Sequence[Hook], objects: Iterable[Desired], ran_for: Mapping[str, str]) -> tuple[Hook, ...]:
    """Return the hooks that are to run, each with the state that it runs for.

    Args:
        hooks: All.
        objects: Of the set.
        ran_for: What the inventory remembers: the state by `Hook.memory`.
    """
    if not hooks:
        return ()
    states = _states(hooks, objects)
    found = [_of_state(one, states[one.desired.unit]) for one in hooks]
    return tuple(one for one in found if ran_for.get(one.memory) != one.state)


def _states(hooks: Sequence[Hook], objects: Iterable[Desired]) -> dict[str, str]:
    units = {one.desired.unit for one in hooks}
    wanted: dict[str, list[object]] = defaultdict(list)
    for one in (*objects, *(hook.desired for hook in hooks)):
        if one.unit in units:
            wanted[one.unit].append([*one.key, one.hash])
    return {unit: short_hash(sorted(found, key=str)) for unit, found in wanted.items()}


def _of_state(one: Hook, state: str) -> Hook:
    """Return a hook that says for which state it runs; one without a name of its own is named by it."""
    wanted = one.desired
    name = f"{wanted.id.name[:-1]}{state[:10]}" if wanted.id.name.endswith("*") else wanted.id.name
    metadata = {key: value for key, value in metadata_of(wanted.body).items() if key != "generateName"}
    annotations = {**strings_of(metadata.get("annotations")), RUN: state}
    body = {**wanted.body, "metadata": {**metadata, "name": name, "annotations": annotations}}
    return replace(one, desired=replace(wanted, id=replace(wanted.id, name=name), body=body), state=state)


def remembered(
    ran_for: Mapping[str, str], known: Sequence[Hook], run: Sequence[Hook], succeeded: Iterable[Hook]
) -> dict[str, str]:
    """Return what the inventory remembers after a run: the state of a phase whose hooks have all come to a good end.

    Args:
        ran_for: What it remembered before.
        known: All hooks of the set; what is remembered of others is forgotten.
        run: Those that were due.
        succeeded: Those of them that came to a good end.
    """
    good = {one.desired.key for one in succeeded}
    bad = {one.memory for one in run if one.desired.key not in good}
    after = {one.memory: one.state for one in run if one.memory not in bad}
    names = {one.memory for one in known}
    return {name: state for name, state in sorted({**ran_for, **after}.items()) if name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a hook came to its end."""

    is_good: bool
    message: str = field(default="")


def end_of(body: Body) -> End | None:
    """Return how a Job, Pod or Workflow has ended; None while it has not."""
    status = body.get("status")
    if not isinstance(status, dict):
        return None
    if body.get("kind") == "Job":
        return _end_of_job(status)
    phase = status.get("phase")
    if phase in ("Succeeded", "Failed", "Error"):
        return End(is_good=phase == "Succeeded", message=str(status.get("message") or phase))
    return None


def _end_of_job(status: Mapping[str, object]) -> End | None:
    conditions = status.get("conditions")
    for one in conditions if isinstance(conditions, list) else []:
        if isinstance(one, dict) and one.get("status") == "True" and one.get("type") in ("Complete", "Failed"):
            message = ": ".join(str(one[name]) for name in ("reason", "message") if one.get(name))
            return End(is_good=one["type"] == "Complete", message=message)
    return None
