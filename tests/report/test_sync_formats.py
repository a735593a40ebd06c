"""The formats of `sync` and `drift`: as reviewed, within their contract, and harmless whatever a cluster holds."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from importlib.resources import files

import jsonschema
import pytest

from gitops_guard.model import ChangeClass, FieldChange, FieldOp, Json, ResourceId
from gitops_guard.model.sync import (
    Drift,
    DriftClass,
    GuardTrip,
    HealthStatus,
    ObjectChange,
    ObjectHealth,
    SyncAction,
    SyncReport,
    SyncVerdict,
)
from gitops_guard.report import FormatOptions
from gitops_guard.report.sync import SYNC_FORMATS, words

SCHEMA = json.loads(files("gitops_guard.report.sync").joinpath("sync.schema.json").read_text("utf-8"))


def named(kind: str, name: str, group: str = "") -> ResourceId:
    return ResourceId(group=group, version="v1", kind=kind, namespace="shop", name=name)


def edited(field: str, op: FieldOp, old: Json, new: Json, *, masked: bool = False) -> FieldChange:
    return FieldChange(
        path=(field,), field=field, op=op, old=old, new=new, change_class=ChangeClass.OTHER, masked=masked
    )


FIELDS = (
    edited("data[gone]", FieldOp.REMOVED, {"a": [1]}, None),
    edited("data[new]", FieldOp.ADDED, None, "v"),
    edited("data[password]", FieldOp.CHANGED, "***", "***", masked=True),
    edited("spec.order", FieldOp.REORDERED, ["a", "b"], ["b", "a"]),
    *(edited(f"spec.replicas{number}", FieldOp.CHANGED, number, number + 1) for number in range(8)),
)


REPORT = SyncReport(
    set_name="shop",
    revision="0123456789abcdef0123456789abcdef01234567",
    verdict=SyncVerdict.GUARDED,
    changes=(
        ObjectChange(action=SyncAction.UNCHANGED, id=named("ConfigMap", "same")),
        ObjectChange(action=SyncAction.CREATED, id=named("ConfigMap", "new")),
        ObjectChange(action=SyncAction.CONFIGURED, id=named("Deployment", "web", "apps"), reason="drift corrected: spec.replicas"),
        ObjectChange(action=SyncAction.CONFIGURED, id=named("Deployment", "wide", "apps"), reason="Git wants it otherwise", fields=FIELDS),
        ObjectChange(action=SyncAction.SKIPPED, id=named("ConfigMap", "old"), reason="it left Git, and a guard keeps it"),
        ObjectChange(action=SyncAction.BLOCKED, id=named("Job", "once", "batch"), reason="invalid: field is immutable"),
    ),
    drift=(
        Drift(
            id=named("Deployment", "web", "apps"), drift_class=DriftClass.CHANGED, field="spec.replicas", want=2, have=5,
            manager="kubectl", operation="Update", time="2026-11-25T02:00:00Z", message="corrected", is_corrected=True,
        ),
        Drift(id=named("Secret", "login"), drift_class=DriftClass.CHANGED, field="data[password]", want="***", have="***"),
        Drift(id=named("ConfigMap", "gone"), drift_class=DriftClass.MISSING),
        Drift(id=named("Deployment", "web", "apps"), drift_class=DriftClass.FOREIGN, field="spec.paused", have=True, manager="x", operation="Update"),
    ),
    health=(
        ObjectHealth(id=named("Deployment", "web", "apps"), status=HealthStatus.IN_PROGRESS, reason="LessReady", message="ready: 1/2"),
        ObjectHealth(id=named("ConfigMap", "new"), status=HealthStatus.CURRENT),
    ),
    guards=(GuardTrip(name="shrink", message="the set would lose 6 of its 10 objects in one run; approve them with --approve-prune 0123"),),
    notes=("the server warns: v1 Thing is deprecated",),
    requests=12,
    duration_s=0.25,
)  # fmt: skip


def written(name: str, report: SyncReport, **options: bool) -> str:
    out = io.StringIO()
    SYNC_FORMATS[name](report, out, FormatOptions(**options))
    return out.getvalue()


@pytest.mark.parametrize("name", list(SYNC_FORMATS))
def test_format_when_written_then_as_reviewed(name, golden):
    golden(f"sync-{name}/all.txt", written(name, REPORT))


def test_json_when_written_then_it_keeps_the_contract():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(written("json", REPORT)), SCHEMA)
    assert set(SCHEMA["properties"]["verdict"]["enum"]) == {str(one) for one in SyncVerdict}


def test_verdict_when_any_then_it_has_words():
    assert all(words.headline(replace(REPORT, verdict=one)) for one in SyncVerdict)


@pytest.mark.parametrize("name", list(SYNC_FORMATS))
def test_format_when_a_cluster_holds_hostile_text_then_nothing_acts(name):
    evil = "x\x1b[31m\n::error::y\u202e|<script>"
    one = named("ConfigMap", evil)
    report = replace(
        REPORT,
        changes=(
            ObjectChange(action=SyncAction.BLOCKED, id=one, reason=evil),
            ObjectChange(action=SyncAction.CONFIGURED, id=one, fields=(edited(evil, FieldOp.CHANGED, evil, {evil: evil}),)),
        ),
        drift=(Drift(id=one, drift_class=DriftClass.CHANGED, field=evil, want=evil, have={evil: evil}, manager=evil, message=evil),),
        health=(ObjectHealth(id=one, status=HealthStatus.FAILED, reason=evil, message=evil),),
        guards=(GuardTrip(name="shrink", message=evil),),
        notes=(evil,),
    )  # fmt: skip

    text = written(name, report)

    assert not any(char in text for char in ("\x1b", "\u202e"))
    assert not any(line.startswith("::") for line in text.splitlines())
    assert "<script>" not in text or name != "markdown"
