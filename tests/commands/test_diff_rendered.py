"""`gitops-guard diff` compares what is deployed: unit by unit, cluster by cluster."""

import pytest

WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 1
  template:
    spec:
      containers: [{name: web, image: "web:1"}]
"""
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: shop}\ndata: {a: b}\n"
TREE = {
    ".gitops-guard.yaml": "clusters: {live: {paths: [live/]}, test: {paths: [test/]}}\n",
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": WEB,
    "live/kustomization.yaml": "resources: [../base]\nreplicas: [{name: web, count: 3}]\n",
    "test/kustomization.yaml": "resources: [../base, settings.yaml]\n",
    "test/settings.yaml": CONFIG % "settings",
    "plain/other.yaml": CONFIG % "other",
}


def told(outcome) -> list[tuple[str, str, list[str], list[str]]]:
    """Return (action, name, clusters, changed fields) of all changes."""
    return [
        (
            one["action"],
            one["resource"]["name"],
            one["clusters"],
            [field["field"] for field in one["fields"]],
        )
        for one in outcome.json()["changes"]
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(
            {"base/web.yaml": WEB.replace("web:1", "web:2")},
            [
                ("configured", "web", ["live"], ["spec.template.spec.containers[name=web].image"]),
                ("configured", "web", ["test"], ["spec.template.spec.containers[name=web].image"]),
            ],
            id="a-base-changes-both",
        ),
        pytest.param(
            {"base/web.yaml": WEB.replace("replicas: 1", "replicas: 2")},
            [("configured", "web", ["test"], ["spec.replicas"])],
            id="what-an-overlay-sets-does-not-change-there",
        ),
        pytest.param(
            {"live/kustomization.yaml": "resources: [../base]\nreplicas: [{name: web, count: 4}]\n"},
            [("configured", "web", ["live"], ["spec.replicas"])],
            id="an-overlay",
        ),
        pytest.param(
            {"plain/other.yaml": (CONFIG % "other").replace("b}", "c}")},
            [("configured", "other", [], ["data[a]"])],
            id="a-plain-file",
        ),
        pytest.param(
            {"live/kustomization.yaml": "resources: [../base]\nreplicas: [{count: 3, name: web}]\n# nothing else\n"},
            [],
            id="only-written-differently",
        ),
    ],
)
def test_diff_when_units_differ_then_each_cluster_is_told(repo, change, expected):
    sandbox = repo(TREE).commit().write(change)
    assert expected == told(sandbox.run("diff", "--format", "json"))


def test_diff_when_a_generated_name_gets_another_hash_then_it_is_the_same_object(repo):
    generator = "configMapGenerator: [{name: app, literals: [level=%s, other=thing, third=x, fourth=y]}]\n"
    sandbox = repo({"a/kustomization.yaml": generator % "info"}).commit()
    sandbox.write({"a/kustomization.yaml": generator % "debug"})
    found = sandbox.run("diff", "--format", "json").json()["changes"]
    assert [("configured", True)] == [(one["action"], one["renamed_from"] is not None) for one in found]


def test_diff_when_an_object_moves_to_another_unit_then_it_is_no_new_one(repo):
    files = {
        "live/a/kustomization.yaml": "resources: [one.yaml, two.yaml]\n",
        "live/a/one.yaml": CONFIG % "one",
        "live/a/two.yaml": CONFIG % "two",
        "live/b/kustomization.yaml": "resources: [three.yaml]\n",
        "live/b/three.yaml": CONFIG % "three",
        ".gitops-guard.yaml": "clusters: {live: {paths: [live/]}}\n",
    }
    sandbox = repo(files).commit()
    sandbox.write(
        {
            "live/a/kustomization.yaml": "resources: [one.yaml]\n",
            "live/b/kustomization.yaml": "resources: [three.yaml, two.yaml]\n",
            "live/b/two.yaml": (CONFIG % "two").replace("b}", "c}"),
        }
    ).remove("live/a/two.yaml")
    outcome = sandbox.run("diff", "--format", "json")
    (moved,) = [one for one in outcome.json()["changes"] if one["action"] != "unchanged"]
    assert ("configured", "two", "live/b", "live/a") == (
        moved["action"], moved["resource"]["name"], moved["unit"]["name"], moved["unit_before"]["name"],
    )  # fmt: skip


def test_diff_when_a_unit_cannot_be_rendered_then_2_and_the_others_are_compared(repo):
    sandbox = repo(TREE).commit()
    sandbox.write({"test/kustomization.yaml": "resources: [nope.yaml]\n", "base/web.yaml": WEB.replace("web:1", "x")})
    outcome = sandbox.run("diff")
    outcome.assert_code(2)
    assert "could not compare" in outcome.out
    assert "# kustomization live on live\n~ apps/v1 Deployment shop/web" in outcome.out


def test_diff_when_rendering_is_off_then_files_are_compared_and_a_note_says_so(repo):
    sandbox = repo(TREE).commit().write({"live/kustomization.yaml": "resources: [../base]\n"})
    outcome = sandbox.run("diff", "--no-render")
    outcome.assert_clean()
    assert "note: kustomizations and Helm charts are not rendered" in outcome.out


def test_diff_when_only_one_of_many_units_differs_then_the_others_are_not_rendered(repo):
    files = {f"u{number}/kustomization.yaml": f"namePrefix: p{number}-\n" for number in range(20)}
    sandbox = repo(files).commit().write({"u7/kustomization.yaml": "configMapGenerator: [{name: new}]\n"})
    outcome = sandbox.run("diff", "--format", "json").json()
    assert (19, 1) == (outcome["identical_units"], len(outcome["changes"]))


def test_diff_when_secrets_are_rendered_then_no_format_shows_a_value(repo):
    generator = "secretGenerator: [{name: app, literals: [password=%s]}]\n"
    sandbox = repo({"a/kustomization.yaml": generator % "hunter2"}).commit()
    sandbox.write({"a/kustomization.yaml": generator % "correct-horse"})
    for name in ("text", "markdown", "json", "yaml"):
        outcome = sandbox.run("diff", "--format", name, "-v")
        shown = outcome.out + outcome.err
        assert ("password" in shown, False, False) == (True, "hunter2" in shown, "aHVudGVyMg" in shown)
        assert "correct-horse" not in shown
