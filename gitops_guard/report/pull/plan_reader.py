"""Reads a plan.json as what it is: input from a stranger.

Size, form, depth and schema are checked before anything is believed, and what must not be seen is hidden again as if
the planner had not done it. A message never repeats what the plan says.
"""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any, Final, NoReturn

from gitops_guard.diff.secrets import Mask, looks_secret
from gitops_guard.errors import PlanError
from gitops_guard.model import (
    Action,
    Change,
    ChangeClass,
    CheckError,
    FieldChange,
    FieldOp,
    Finding,
    FoldReason,
    Location,
    Origin,
    Resource,
    ResourceId,
    Severity,
    Skipped,
)
from gitops_guard.model.pull import Accepted, ChangeSource, Gate, PullPlan, RolloutGate, Shard, UnitChanges
from gitops_guard.model.rollout import Assumption, Rollout, RolloutVerdict, Seconds, Step, Trajectory
from gitops_guard.report.pull.plan_json import MAX_BYTES, VERSION

_DEEPEST: Final = 80
_SHA: Final = re.compile("[0-9a-f]{40}(?:[0-9a-f]{24})?")
_ITEM_NAME: Final = re.compile(r"\[name=([^\]]*)\][^\[\]]*\Z")
_MASK: Final = Mask(())
"""Knows no Secret's value, only the places and names that are always hidden."""


def read_plan(data: bytes, *, max_bytes: int = MAX_BYTES) -> PullPlan:
    """Read a plan.

    Raises:
        PlanError: It is too large, no JSON, of another version, or does not fit the schema.
    """
    if len(data) > max_bytes:
        raise PlanError(f"the plan has {len(data):,} bytes; at most {max_bytes:,} are read")
    document = _parsed(data)
    version = document.get("version") if isinstance(document, dict) else None
    if type(version) is not int or version != VERSION:
        raise PlanError(f"the plan is no object of version {VERSION}; plan and report with the same gitops-guard")
    _refuse_depth(document)
    _refuse_unfit(document)
    return _plan(document)


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_without_twins, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise PlanError("the plan is no JSON that can be read in one way only") from None


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object; a key that comes twice is read by some as the first and by others as the last."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key comes twice")
    return found


def _no_number(_name: str) -> NoReturn:
    raise ValueError("not a number of JSON")


def _refuse_depth(document: Any) -> None:
    level = [document]
    for _ in range(_DEEPEST):
        level = [child for value in level for child in _children(value)]
        if not level:
            return
    raise PlanError(f"the plan is nested more than {_DEEPEST} levels deep")


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _refuse_unfit(document: Any) -> None:
    error = next(_validator().iter_errors(document), None)
    if error is not None:
        place = "/".join(str(part) for part in error.absolute_path if isinstance(part, int) or part in _known_keys())
        raise PlanError(f"the plan does not fit its schema: {error.validator} at /{place}")


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator, validators  # costs 70 ms, and only who reads plans pays for it

    def is_integer(_checker: object, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool)  # 1.0 is one by the standard, but prints as 1.0

    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", is_integer)
    extended = validators.extend(Draft202012Validator, type_checker=types)  # type: ignore[no-untyped-call]  # theirs
    return extended(_schema())


@cache
def _schema() -> Any:
    return json.loads(files("gitops_guard.report.pull").joinpath("plan.schema.json").read_text("utf-8"))


@cache
def _known_keys() -> frozenset[str]:
    """Return the schema's own keys: the only ones that a message may repeat."""
    return frozenset(_keys(_schema()))


def _keys(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        properties = schema.get("properties")
        yield from properties if isinstance(properties, dict) else ()
    for child in _children(schema):
        yield from _keys(child)


def _plan(document: dict[str, Any]) -> PullPlan:
    gate, shard, found, drift = (document[key] for key in ("gate", "shard", "findings", "drift"))
    return PullPlan(
        tool=document["tool"],
        repository=document["repository"],
        number=document["pull"],
        head=_sha(document["head"]),
        base=_sha(document["base"]),
        target=document["target"],
        is_merged=document["merged"],
        is_fork=document["fork"],
        run=document["run"],
        shard=None if shard is None else _shard(shard),
        duration_s=document["duration_s"],
        gate=Gate(
            fail_on=Severity(gate["fail_on"]),
            rollout=RolloutGate(gate["rollout"]),
            unseen_passes=gate["unseen_passes"],
        ),
        units=tuple(_unit(one) for one in document["units"]),
        findings=None if found is None else tuple(_finding(one) for one in found),
        known=document["known"],
        silenced=document["silenced"],
        accepted=tuple(Accepted(**{**one, "rules": tuple(one["rules"])}) for one in document["accepted"]),
        errors=tuple(CheckError(**one) for one in document["errors"]),
        known_errors=document["known_errors"],
        unseen=tuple(Skipped(**one) for one in document["unseen"]),
        drift=None if drift is None else tuple(_unit(one) for one in drift),
        versions=tuple(document["versions"]),
        notes=tuple(document["notes"]),
    )


def _sha(text: str) -> str:
    if _SHA.fullmatch(text) is None:  # the schema's own pattern lets a line break follow
        raise PlanError("the plan names a commit by something that is none")
    return text


def _shard(shard: dict[str, int]) -> Shard:
    if shard["index"] >= shard["total"]:
        raise PlanError("the plan's shard is none of its total")
    return Shard(index=shard["index"], total=shard["total"])


def _unit(unit: dict[str, Any]) -> UnitChanges:
    rollouts = unit["rollouts"]
    return UnitChanges(
        name=unit["name"],
        kind=unit["kind"],
        cluster=unit["cluster"],
        source=ChangeSource(unit["source"]),
        changes=tuple(_change(one) for one in unit["changes"]),
        unchanged=unit["unchanged"],
        rollouts=None if rollouts is None else tuple(_rollout(one) for one in rollouts),
        hazards=tuple(_finding(one) for one in unit["hazards"]),
        errors=tuple(CheckError(**one) for one in unit["errors"]),
        notes=tuple(unit["notes"]),
    )


def _id(resource: dict[str, str]) -> ResourceId:
    group, _, version = resource["apiVersion"].rpartition("/")
    kind, namespace, name = resource["kind"], resource["namespace"], resource["name"]
    return ResourceId(group=group, version=version, kind=kind, namespace=namespace, name=name)


def _change(change: dict[str, Any]) -> Change:
    name, action, body, was = (
        _id(change["resource"]),
        Action(change["action"]),
        change["object"],
        change["renamed_from"],
    )
    shown = None if body is None else _MASK.body(name, body)
    return Change(
        action=action,
        id=name,
        before=None if action is Action.CREATED else _written(name, change["moved_from"] or change["path"], change),
        after=None if action is Action.DELETED else _written(name, change["path"], change),
        fields=tuple(_field(name, field) for field in change["fields"]),
        folded=tuple(_field(name, field) for field in change["folded"]),
        classes=tuple(ChangeClass(one) for one in change["classes"]),
        renamed_from=None if was is None else _id(was),
        shown_before=shown if action is Action.DELETED else None,
        shown_after=shown if action is Action.CREATED else None,
    )


def _written(name: ResourceId, path: str, change: dict[str, Any]) -> Resource:
    """Stand for the true object, which no plan holds: only where it is written is known."""
    return Resource(id=name, body={}, origin=Origin(path=path, document=0, line=change["line"]))


def _field(owner: ResourceId, field: dict[str, Any]) -> FieldChange:
    path = tuple(field["path"])
    item = _ITEM_NAME.search(field["field"])
    secretive = item is not None and looks_secret(item[1])
    place = path or ("",)
    old = _MASK.value(owner, place, field["old"], secretive=secretive)
    new = _MASK.value(owner, place, field["new"], secretive=secretive)
    return FieldChange(
        path=path,
        field=field["field"],
        op=FieldOp(field["op"]),
        old=old.value,
        new=new.value,
        change_class=ChangeClass(field["class"]),
        masked=field["masked"] or old.masked or new.masked,
        document=field["document"],
        reason=FoldReason(field["reason"]) if "reason" in field else None,
    )


def _finding(finding: dict[str, Any]) -> Finding:
    resource = finding["resource"]
    return Finding(
        rule=finding["rule"],
        severity=Severity(finding["severity"]),
        message=finding["message"],
        resource=None if resource is None else _id(resource),
        field=finding["field"],
        location=Location(
            path=finding["path"],
            line=finding["line"],
            column=finding["column"],
            end_line=finding["end_line"],
            end_column=finding["end_column"],
        ),
        hint=finding["hint"],
        fingerprint=finding["fingerprint"],
    )  # where a rule is explained on the web is left out: the plan's author would choose where the reader goes


def _rollout(rollout: dict[str, Any]) -> Rollout:
    return Rollout(
        resource=_id(rollout["resource"]),
        strategy=rollout["strategy"],
        verdict=RolloutVerdict(rollout["verdict"]),
        reasons=tuple(rollout["reasons"]),
        triggers=tuple(rollout["triggers"]),
        min_available=rollout["min_available"],
        worst_available=rollout["worst_available"],
        wanted_available=rollout["wanted_available"],
        peak_pods=rollout["peak_pods"],
        peak_existing_pods=rollout["peak_existing_pods"],
        extra_cpu_milli=rollout["extra"]["cpu_milli"],
        extra_memory_bytes=rollout["extra"]["memory_bytes"],
        downtime_s=Seconds(**rollout["downtime_s"]),
        duration_s=Seconds(**rollout["duration_s"]),
        trajectories=tuple(_trajectory(one) for one in rollout["trajectories"]),
        assumptions=tuple(Assumption(**one) for one in rollout["assumptions"]),
        rollback_to=rollout["rollback_to"],
        model=rollout["model"],
        unit=rollout["unit"],
        wave=rollout["sync_wave"],
    )


def _trajectory(way: dict[str, Any]) -> Trajectory:
    steps = tuple(Step(**step) for step in way["steps"])
    times = [0.0, *(step.t_s for step in steps)]
    if times != sorted(times) or (steps and steps[0].t_s):
        raise PlanError("the plan holds a rollout that does not start at 0 s and go on in order of time")
    return Trajectory(name=way["name"], complete=way["complete"], steps=steps)
