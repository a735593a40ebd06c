"""`check` follows the references of rendered units: in which runs, where findings stand, never told twice or hidden."""

import pytest

WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: web:1
          env:
            - name: COLOUR
              valueFrom:
                configMapKeyRef: {name: settings, key: colour}
"""
GENERATED = "namespace: shop\nresources: [web.yaml]\nconfigMapGenerator:\n  - name: settings\n    literals: [%s=red]\n"
APP = {"app/kustomization.yaml": GENERATED % "color", "app/web.yaml": WEB}
FOUND = ("app/web.yaml", 15, "missing-config-key")
SECRET = "namespace: shop\nsecretGenerator:\n  - name: login\n    literals: [user=me, password=x]\n"
MOUNTS = WEB.replace("configMapKeyRef: {name: settings, key: colour}", "secretKeyRef: {name: login, key: user}")
FLUX = """apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: own, namespace: flux-system}
spec: {url: https://example.com/own.git, interval: 1m}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: app, namespace: flux-system}
spec:
  interval: 1m
  path: ./app
  prune: true
  sourceRef: {kind: GitRepository, name: own}
  postBuild: {substitute: {key: %s}}
"""
VALUES = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: red}\n"


@pytest.fixture
def repo(repo):
    """Make repositories in which no policies are asked, so that references stand alone."""

    def make(files=None):
        return repo({".gitops-guard.yaml": "policies: []\n", **(files or {})})

    return make


@pytest.mark.parametrize(("files", "expected"), [
    pytest.param(APP, [FOUND], id="a key that a generator does not give"),
    pytest.param({**APP, "app/kustomization.yaml": GENERATED % "colour"}, [], id="a key that a generator gives"),
    pytest.param(
        {"app/kustomization.yaml": SECRET + "resources: [web.yaml]\n", "app/web.yaml": MOUNTS}, [], id="a generated Secret"
    ),
    pytest.param(
        {"app/kustomization.yaml": SECRET + "resources: [web.yaml]\n", "app/web.yaml": MOUNTS.replace("key: user", "key: usr")},
        [FOUND],
        id="a key that is not in a generated Secret",
    ),
    pytest.param(
        {**APP, "over/kustomization.yaml": "resources: [../app]\nnamePrefix: a-\n"}, [FOUND], id="a base is told once"
    ),
    pytest.param(
        {"flux.yaml": FLUX % "x", "app/web.yaml": WEB, "app/settings.yaml": VALUES}, [FOUND], id="a plain file is told once"
    ),
    pytest.param(
        {"flux.yaml": FLUX % "color", "app/web.yaml": WEB.replace("key: colour", "key: '${key}'"), "app/settings.yaml": VALUES},
        [],
        id="a key that is substituted",
    ),
])  # fmt: skip
def test_check_when_units_refer_to_things_then_it_is_told_of_what_is_deployed(repo, files, expected):
    report = repo(files).run("check").json()
    found = [(one["path"], one["line"], one["rule"]) for one in report["findings"] if one["severity"] == "error"]
    assert (expected, []) == (found, report["errors"])


def test_check_when_only_a_hook_runs_then_what_the_unit_itself_shows_is_told(repo):
    sandbox = repo(APP).stage()
    sandbox.run("check", "--staged", "app/web.yaml").assert_findings(FOUND)


def test_check_when_only_a_hook_runs_then_nothing_is_said_of_what_may_be_elsewhere(repo):
    files = {**APP, "app/kustomization.yaml": "namespace: shop\nresources: [web.yaml, space.yaml]\n"}
    files["app/space.yaml"] = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
    sandbox = repo(files).stage()
    sandbox.run("check", "--staged", "app/web.yaml").assert_findings()


OTHER = {
    "app/kustomization.yaml": "namespace: shop\nresources: [web.yaml]\n",
    "app/web.yaml": WEB,
    "config/kustomization.yaml": "namespace: shop\nresources: [settings.yaml]\n",
    "config/settings.yaml": VALUES.replace("color", "colour"),
}


@pytest.mark.parametrize("before", [pytest.param((), id="whole tree"), pytest.param(("app/web.yaml",), id="one file")])
def test_check_when_another_unit_loses_a_key_then_what_is_remembered_hides_nothing(repo, before):
    sandbox = repo(OTHER).commit()
    for _ in range(2):
        sandbox.run("check", *before).assert_clean()
    sandbox.write({"config/settings.yaml": VALUES})
    for _ in range(2):
        sandbox.run("check", *before).assert_findings(FOUND)
    sandbox.write({"config/settings.yaml": VALUES.replace("color", "colour")})
    sandbox.run("check", *before).assert_clean()


def test_check_when_a_range_is_judged_then_units_that_did_not_change_answer(repo):
    sandbox = repo({name: text for name, text in OTHER.items() if name.startswith("config")}).commit()
    sandbox.commit({name: text for name, text in OTHER.items() if name.startswith("app")})
    sandbox.run("check", "--from", "HEAD~1").assert_clean()
    sandbox.commit({"config/settings.yaml": VALUES})
    sandbox.commit({"app/web.yaml": WEB.replace("web:1", "web:2")})
    sandbox.run("check", "--from", "HEAD~1").assert_findings(FOUND)


def test_check_when_nothing_is_rendered_then_files_of_units_are_not_judged(repo):
    repo(APP).run("check", "--no-render").assert_findings()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(("--staged", "app/web.yaml", "-v"), True, id="hook"),
        pytest.param(("--staged", "app/web.yaml"), False, id="hook that is not asked for more"),
        pytest.param(("-v",), False, id="whole tree"),
    ],
)
def test_check_when_references_are_not_followed_then_a_verbose_report_says_so(repo, arguments, expected):
    outcome = repo(APP).stage().run("check", *arguments, "--format", "text")
    assert expected == ("references between files: not followed in a hook on single files" in outcome.out)
