"""Plans to tell: of nothing, of an ordinary change, of as many apps as wanted."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gitops_guard.diff import Conventions, compare
from gitops_guard.model import Change, Finding, Location, Origin, Resource, ResourceId, Severity
from gitops_guard.model.pull import Accepted, PullPlan, UnitChanges
from gitops_guard.model.resource import resource_id
from gitops_guard.model.rollout import Assumption, Rollout, RolloutVerdict, Seconds, Step, Trajectory

HEAD, BASE = "a" * 40, "b" * 40


def resource(body: dict[str, Any], path: str = "apps/web.yaml") -> Resource:
    return Resource(id=resource_id(body), body=body, origin=Origin(path=path, document=0, line=1))


def deployment(name: str, image: str, **more: Any) -> dict[str, Any]:
    container = {"name": "web", "image": image, **more}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "shop"},
        "spec": {"replicas": 3, "template": {"spec": {"containers": [container]}}},
    }  # fmt: skip


def changes(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> tuple[Change, ...]:
    return compare([resource(body) for body in before], [resource(body) for body in after], Conventions())


def rollout(name: str = "web", verdict: RolloutVerdict = RolloutVerdict.OK) -> Rollout:
    steps = (
        Step(t_s=0.0, old=3, new=1, ready=3, available=3, terminating=0),
        Step(t_s=9.5, old=2, new=2, ready=3, available=2, terminating=1, cause="1 pod became ready", traffic=0.5),
        Step(t_s=30.0, old=0, new=3, ready=3, available=3, terminating=0),
    )
    return Rollout(
        resource=ResourceId(group="apps", version="v1", kind="Deployment", namespace="shop", name=name),
        strategy="RollingUpdate", verdict=verdict, reasons=("no pod is left",), triggers=("spec.template",),
        min_available=2, worst_available=1, wanted_available=3, peak_pods=4, peak_existing_pods=5,
        extra_cpu_milli=100, extra_memory_bytes=1 << 20,
        downtime_s=Seconds(low=0.0, likely=0.0, high=None), duration_s=Seconds(low=5.0, likely=30.0, high=90.0),
        trajectories=(Trajectory(name="likely", steps=steps, complete=True),),
        assumptions=(Assumption(name="app start", value="5 s", source="default", effect="it takes 30 s"),),
        rollback_to="web:1", model="kubernetes 1.36",
    )  # fmt: skip


def finding(rule: str, severity: Severity = Severity.ERROR, **more: Any) -> Finding:
    values: dict[str, Any] = {
        "message": "is wrong", "field": "spec.replicas", "hint": "", "fingerprint": f"fp-{rule}",
        "resource": ResourceId(group="apps", version="v1", kind="Deployment", namespace="shop", name="web"),
        "location": Location(path="apps/web.yaml", line=7, column=3, end_line=7, end_column=9),
    }  # fmt: skip
    return Finding(rule=rule, severity=severity, **(values | more))


def plan(**more: Any) -> PullPlan:
    return PullPlan(**{"head": HEAD, "base": BASE, "tool": "1.0", "repository": "acme/shop", "number": 7, **more})


def app(name: str, cluster: str = "", *, image: str = "web:2", **more: Any) -> UnitChanges:
    found = changes([deployment(name, "web:1")], [deployment(name, image)])
    return UnitChanges(name=name, cluster=cluster, kind="Flux Kustomization", changes=found, **more)


class Plans:
    """What makes plans."""

    resource = staticmethod(resource)
    deployment = staticmethod(deployment)
    changes = staticmethod(changes)
    rollout = staticmethod(rollout)
    finding = staticmethod(finding)
    plan = staticmethod(plan)
    app = staticmethod(app)

    @staticmethod
    def ordinary() -> PullPlan:
        gone = changes([deployment("old", "web:1")], [])
        first = app("apps/web", "eu", rollouts=(rollout(),), hazards=(finding("recreate-downtime", Severity.WARNING),))
        return plan(
            units=(first, replace(first, cluster="us"), UnitChanges(name="apps/old", cluster="eu", changes=gone)),
            findings=(finding("unknown-field"), finding("latest-tag", Severity.NOTE)),
            accepted=(Accepted(rules=("latest-*",), reason="vendored", owner="team-a", expires="2027-01-31", path="waivers/v.yaml", line=3, findings=2),),
            known=4, silenced=1, versions=("1.36",), duration_s=3.2, run=5001, target="main", is_merged=True,
        )  # fmt: skip


@pytest.fixture
def plans() -> type[Plans]:
    return Plans


@pytest.fixture
def told() -> Callable[..., str]:
    """Return a function that writes the first comment of a plan."""
    from gitops_guard.model.judgement import judge
    from gitops_guard.report.pull.comment import comment

    def tell(plan: PullPlan, **options: Any) -> str:
        return comment(plan, judge(plan, plan.gate), **options)[0].text

    return tell
