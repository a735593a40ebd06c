"""The rule alone, as a table."""

import pytest
from gitops_guard_team_label.missing_team_label import MissingTeamLabel

from gitops_guard.model import Origin, Resource, ResourceId, RuleContext, format_field_path


def workload(metadata: object) -> Resource:
    return Resource(
        id=ResourceId(group="apps", version="v1", kind="Deployment", namespace="shop", name="web"),
        body={"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata},
        origin=Origin(path="web.yaml", document=0, line=1),
    )


def fields(metadata: object, **options: str) -> list[str]:
    context = RuleContext(kubernetes_versions=("1.37",), options=options)
    return [format_field_path(found.field) for found in MissingTeamLabel().check(workload(metadata), context)]


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param({"name": "web"}, id="no-labels"),
        pytest.param({"labels": {}}, id="other-labels"),
        pytest.param({"labels": {"team": ""}}, id="empty"),
        pytest.param({"labels": None}, id="null-labels"),
        pytest.param(None, id="null-metadata"),
    ],
)
def test_check_when_the_label_is_missing_then_one_problem_names_it(metadata):
    assert fields(metadata) == ["metadata.labels[team]"]


@pytest.mark.parametrize(
    ("label", "expected"),
    [pytest.param("owner", [], id="present"), pytest.param("squad", ["metadata.labels[squad]"], id="absent")],
)
def test_check_when_an_option_names_the_label_then_that_label_counts(label, expected):
    assert fields({"labels": {"owner": "web"}}, label=label) == expected
