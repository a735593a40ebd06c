"""`plan.json`, `"version": 1`: what an unprivileged job hands to the one that may write; schema in `plan.schema.json`.

Data only: no markdown, no HTML, no verdict. Keys come in a fixed order and text is ASCII, so that equal plans are equal
bytes. What is very large is cut here, and how much is said, since a reader takes no plan beyond `MAX_BYTES`.
"""

import json
from dataclasses import replace
from typing import Any, Final, TextIO

from gitops_guard.model import Body, Change, CheckError, Finding, Json, Skipped
from gitops_guard.model.pull import Accepted, Gate, PullPlan, Shard, UnitChanges
from gitops_guard.model.rollout import Rollout, Trajectory
from gitops_guard.report.diff_json import change_object
from gitops_guard.report.json_report import error_object, finding_object
from gitops_guard.report.simulation.words import sampled

VERSION: Final = 1
MAX_BYTES: Final = 32 << 20
"""A plan beyond this is not read."""

_LONGEST: Final = 100_000
"""Characters of one text, and of an object's JSON, that are kept."""

_TEXT: Final = 16_000
_NAME: Final = 4_000
_SHORT: Final = 450
_DEPTH: Final = 200
_STEPS: Final = 60


def write_plan(plan: PullPlan, out: TextIO) -> None:
    """Write the plan object."""
    json.dump(plan_object(plan), out, separators=(",", ":"))
    out.write("\n")


def plan_object(plan: PullPlan) -> dict[str, Any]:
    """Return the plan as the contract's object."""
    return {
        "version": VERSION,
        "tool": plan.tool,
        "repository": plan.repository,
        "pull": plan.number,
        "head": plan.head,
        "base": plan.base,
        "target": plan.target,
        "merged": plan.is_merged,
        "fork": plan.is_fork,
        "run": plan.run,
        "shard": _shard(plan.shard),
        "duration_s": round(plan.duration_s, 3),
        "gate": _gate(plan.gate),
        "units": [_unit(unit) for unit in plan.units],
        "findings": None if plan.findings is None else [_finding(one) for one in plan.findings],
        "known": plan.known,
        "silenced": plan.silenced,
        "accepted": [_accepted(one) for one in plan.accepted],
        "errors": [_error(one) for one in plan.errors],
        "known_errors": plan.known_errors,
        "unseen": [_skipped(one) for one in plan.unseen],
        "drift": None if plan.drift is None else [_unit(unit) for unit in plan.drift],
        "versions": list(plan.versions),
        "notes": list(plan.notes),
    }


def _shard(shard: Shard | None) -> Json:
    return None if shard is None else {"index": shard.index, "total": shard.total}


def _gate(gate: Gate) -> dict[str, Json]:
    return {"fail_on": str(gate.fail_on), "rollout": str(gate.rollout), "unseen_passes": gate.unseen_passes}


def _unit(unit: UnitChanges) -> dict[str, Any]:
    return {
        "name": unit.name,
        "kind": unit.kind,
        "cluster": unit.cluster,
        "source": str(unit.source),
        "changes": [_change(change) for change in unit.changes],
        "unchanged": unit.unchanged,
        "rollouts": None if unit.rollouts is None else [_rollout(one) for one in unit.rollouts],
        "hazards": [_finding(one) for one in unit.hazards],
        "errors": [_error(one) for one in unit.errors],
        "notes": list(unit.notes),
    }


def _change(change: Change) -> dict[str, Any]:
    entry = change_object(change)
    for key in ("clusters", "unit", "unit_before"):  # said once, by the unit that the change stands in
        del entry[key]
    _shorten_names(entry)
    entry["renamed_from"] = _named(entry["renamed_from"])
    if entry["object"] is not None:
        entry["object"] = _cut_object(entry["object"])
    for field in (*entry["fields"], *entry["folded"]):
        field["field"] = _cut_text(field["field"], _TEXT)
        field["path"] = [_cut_text(key, _NAME) if isinstance(key, str) else key for key in field["path"][:_DEPTH]]
        field["old"], field["new"] = _cut(field["old"]), _cut(field["new"])
    return entry


def _cut_object(body: Body) -> Json:
    """Keep the identity of an object that is too large, and say so."""
    size = len(json.dumps(body))
    if size <= _LONGEST:
        return dict(body)
    kept: dict[str, Json] = {key: _cut(body[key]) for key in ("apiVersion", "kind") if key in body}
    return {**kept, "leftOut": f"an object of {size:,} characters; look it up in its file"}


def _cut(value: Json) -> Json:
    if isinstance(value, str):
        return _cut_text(value, _LONGEST)
    size = len(json.dumps(value)) if isinstance(value, dict | list) else 0
    return value if size <= _LONGEST else f"... ({size:,} characters are left out)"


def _cut_text(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}... ({len(text) - most:,} more characters)"


def _finding(finding: Finding) -> dict[str, Any]:
    at = finding.location
    entry = {**finding_object(finding), "end_line": at.end_line, "end_column": at.end_column}
    _shorten_names(entry)
    for key in ("message", "field", "hint"):
        entry[key] = _cut_text(entry[key], _TEXT)
    return entry


def _error(error: CheckError) -> dict[str, Any]:
    entry = error_object(error)
    return {**entry, "path": _cut_text(entry["path"], _NAME), "message": _cut_text(entry["message"], _TEXT)}


def _accepted(one: Accepted) -> dict[str, Any]:
    return {
        "rules": [_cut_text(rule, 200) for rule in one.rules[:100]],
        "reason": _cut_text(one.reason, _NAME),
        "owner": _cut_text(one.owner, 200),
        "expires": _cut_text(one.expires, 20),
        "path": _cut_text(one.path, _NAME),
        "line": one.line,
        "findings": one.findings,
    }


def _skipped(entry: Skipped) -> dict[str, Json]:
    texts = {"path": entry.path, "resource": entry.resource, "reason": entry.reason}
    return {key: _cut_text(text, _NAME) for key, text in texts.items()}


def _shorten_names(entry: dict[str, Any]) -> None:
    """Cut names that no API server would take: a manifest may hold them all the same."""
    entry["resource"] = _named(entry["resource"])
    entry["path"] = _cut_text(entry["path"], _NAME)


def _named(resource: dict[str, str] | None) -> dict[str, str] | None:
    return None if resource is None else {key: _cut_text(text, _SHORT) for key, text in resource.items()}


def _rollout(rollout: Rollout) -> Json:
    """Return a prediction with the steps that a picture needs: the likely way's."""
    ways = tuple(_sampled(way) for way in rollout.trajectories if way.name == "likely")
    return replace(rollout, trajectories=ways).to_json()


def _sampled(way: Trajectory) -> Trajectory:
    return replace(way, steps=tuple(sampled(way.steps, _STEPS)))
