"""Images and charts that move, as the table calls them."""

import pytest

from gitops_guard.report.pull.images import bumps


def release(values):
    return {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"values": values},
    }


DIGESTS = "sha256:" + "a" * 64, "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(
            {"image": {"repository": "r/web", "tag": "1.0"}}, {"image": {"repository": "r/web", "tag": "2.0"}},
            [("image", "web: image", "1.0", "2.0", False, True)], id="tag",
        ),
        pytest.param(
            {"a": {"image": {"tag": f"1.0@{DIGESTS[0]}"}}}, {"a": {"image": {"tag": f"1.1@{DIGESTS[1]}"}}},
            [("image", "web: a.image", "1.0", "1.1", True, False)], id="tag-with-digest",
        ),
        pytest.param(
            {"image": {"tag": "1.0", "digest": DIGESTS[0]}}, {"image": {"tag": "1.1", "digest": DIGESTS[1]}},
            [("image", "web: image", "1.0", "1.1", True, False)], id="tag-and-digest",
        ),
        pytest.param(
            {"image": {"tag": f"1.0@{DIGESTS[0]}"}}, {"image": {"tag": f"1.0@{DIGESTS[1]}"}},
            [("image", "web: image", f"1.0@{DIGESTS[0]}", f"1.0@{DIGESTS[1]}", True, False)], id="digest-behind-the-tag",
        ),
        pytest.param(
            {"backupImage": {"repository": "r/old"}}, {"backupImage": {"repository": "r/new"}},
            [("image", "web: backupImage", "r/old", "r/new", False, False)], id="another-repository",
        ),
        pytest.param(
            {"image": {"pullPolicy": "Always"}}, {"image": {"pullPolicy": "Never"}}, [], id="no-version",
        ),
        pytest.param({"image": "r/web:1.0"}, {"image": "r/web:1.1"}, [("image", "r/web", "1.0", "1.1", False, False)], id="in-one"),
        pytest.param({"chart": {"tag": "1"}}, {"chart": {"tag": "2"}}, [], id="no-image"),
    ],
)  # fmt: skip
def test_bumps_when_a_chart_names_its_image_in_parts_then_one_move_says_where(plans, old, new, expected):
    found = bumps(plans.changes([release(old)], [release(new)]))

    assert expected == [(one.kind, one.name, one.old, one.new, one.is_pinned, one.is_major) for one in found]


def test_bumps_when_only_the_pull_policy_of_a_pod_changes_then_no_image_moves(plans):
    before, after = (plans.deployment("web", "web:1", imagePullPolicy=policy) for policy in ("Always", "Never"))

    assert () == bumps(plans.changes([before], [after]))
