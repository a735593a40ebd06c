"""Reports to write: an ordinary one, an empty one and a hostile one."""

import io
from collections.abc import Callable
from typing import Any

import pytest

from gitops_guard.model import (
    CheckError,
    Coverage,
    Finding,
    Location,
    Report,
    ResourceId,
    Severity,
    Skipped,
    WaiverState,
    WaiverUse,
)
from gitops_guard.report import FORMATS, FormatOptions

WEB = ResourceId(group="apps", version="v1", kind="Deployment", namespace="shop", name="web")
SECRET = ResourceId(group="", version="v1", kind="Secret", namespace="shop", name="db")
DOCS = "https://gitops-guard.example/rules"

EVIL = "\x1b[31m::error::x %0A%25 ```` `a` | <img src=x> @root #1 [l](http://e) \u202e<!-- --> ##[group]\r\n::warning::y \ud800"


def finding(rule: str, path: str, line: int, column: int, end_column: int, **rest: Any) -> Finding:
    values: dict[str, Any] = {"severity": Severity.ERROR, "message": "broken", "resource": WEB, "field": "spec"}
    location = Location(path=path, line=line, column=column, end_line=line, end_column=end_column)
    return Finding(rule=rule, location=location, **(values | rest))


def _ordinary() -> Report:
    return Report(
        findings=(
            finding(
                "deprecated-api", "apps/cron.yaml", 1, 13, 26,
                severity=Severity.WARNING, message="batch/v1beta1 CronJob is gone since Kubernetes 1.25", field="apiVersion",
                resource=ResourceId(group="batch", version="v1beta1", kind="CronJob", namespace="", name="tidy"),
                hint="use batch/v1", doc_url=f"{DOCS}/deprecated-api", fingerprint="0a1b2c3d4e5f6071",
            ),
            finding("invalid-value", "apps/db.yaml", 6, 13, 20, message="Invalid value: not base64", resource=SECRET,
                    field="data[password]", fingerprint="1111111111111111"),
            finding(
                "unknown-field", "apps/web.yaml", 7, 3, 11, message='unknown field "replcas"', field="spec.replcas",
                hint='did you mean "replicas"?', doc_url=f"{DOCS}/unknown-field", fingerprint="2222222222222222",
            ),
            finding(
                "unused-suppression", "apps/web.yaml", 9, 3, 40, severity=Severity.NOTE, resource=None, field="",
                message="nothing was silenced by it", fingerprint="3333333333333333",
            ),
        ),
        errors=(
            CheckError(path="", line=0, column=0, message="the plugin ours 1.0 cannot be loaded"),
            CheckError(path="apps/bad.yaml", line=3, column=5, rule="yaml-syntax", message="found a tab where spaces must be"),
        ),
        coverage=Coverage(
            files=9, resources=12, validated=9, schema_only=1, versions=("1.36", "1.37"),
            skipped=(
                Skipped(path="apps/widget.yaml", resource="example.com/v1 Widget w", reason="no schema"),
                Skipped(path="charts/web/templates/a.yaml", resource="", reason="Helm template"),
                Skipped(path="charts/web/templates/b.yaml", resource="", reason="Helm template"),
            ),
        ),
        suppressed=2,
        waivers=(
            WaiverUse(
                name="vendor-agent", path="waivers/agent.yaml", line=1, rules=("wrong-type", "host-*"), owner="team-a",
                reason="reads kernel events, OPS-12", expires="2027-06-30", state=WaiverState.IN_FORCE,
                findings=(finding("wrong-type", "apps/agent.yaml", 3, 5, 9, message="expected string, got integer",
                                  fingerprint="5555555555555555"),),
            ),
            WaiverUse(name="old", path="waivers/agent.yaml", line=14, rules=("host-pid",), reason="soon gone",
                      expires="2026-01-31", state=WaiverState.EXPIRED),
            WaiverUse(name="why", path="waivers/why.yaml", line=1, rules=("host-pid",), reason="",
                      state=WaiverState.REFUSED),
        ),
        sources={
            "apps/cron.yaml": ("apiVersion: batch/v1beta1", "kind: CronJob"),
            "apps/db.yaml": ("apiVersion: v1", "kind: Secret", "metadata:", "  name: db", "data:", "  password: hunter2"),
            "apps/web.yaml": ("apiVersion: apps/v1", "kind: Deployment", "metadata:", "  name: web", "", "spec:",
                              "  replcas: 3", "  template:", "  # gitops-guard: ignore wrong-type x"),
        },
    )  # fmt: skip


def _clean() -> Report:
    return Report(findings=(), errors=(), coverage=Coverage(files=1, resources=1, validated=1, versions=("1.37",)))


def _hostile() -> Report:
    evil_id = ResourceId(group=EVIL, version="v1", kind=EVIL, namespace=EVIL, name=EVIL)
    return Report(
        findings=(
            finding(EVIL, EVIL, 1, 1, 5, message=EVIL, field=EVIL, hint=EVIL, doc_url=EVIL, resource=evil_id,
                    fingerprint="4444444444444444"),
        ),
        errors=(CheckError(path=EVIL, line=1, column=1, message=EVIL, rule=EVIL),),
        coverage=Coverage(files=1, resources=1, versions=(EVIL,), skipped=(Skipped(path=EVIL, resource=EVIL, reason=EVIL),)),
        waivers=(
            WaiverUse(name=EVIL, path=EVIL, line=1, rules=(EVIL,), reason=EVIL, owner=EVIL, expires="2027-06-30",
                      state=WaiverState.IN_FORCE,
                      findings=(finding(EVIL, EVIL, 1, 1, 5, message=EVIL, field=EVIL, resource=evil_id),)),
        ),
        sources={EVIL: (EVIL,)},
    )  # fmt: skip


@pytest.fixture
def reports() -> dict[str, Report]:
    return {"ordinary": _ordinary(), "clean": _clean(), "hostile": _hostile()}


@pytest.fixture
def make_finding() -> Callable[..., Finding]:
    return finding


@pytest.fixture
def evil() -> str:
    return EVIL


@pytest.fixture
def written() -> Callable[..., str]:
    def write(name: str, report: Report, **options: Any) -> str:
        out = io.StringIO()
        FORMATS[name](report, out, FormatOptions(**options))
        return out.getvalue()

    return write
