"""`gitops-guard pr` and `report` from end to end: what blocks, what is told, what is refused."""

import json
from importlib.resources import files

import jsonschema
import pytest

SCHEMA = json.loads(files("gitops_guard.report.pull").joinpath("plan.schema.json").read_text("utf-8"))
WEB = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  replicas: 3
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: registry.example.com/web:1.0
          readinessProbe: {httpGet: {path: /ready, port: 8080}}
"""
SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\ndata: {colour: blue}\n"
OLD_SIN = SETTINGS + "bogus: 1\n"
BROKEN = "apiVersion: apps/v1\nkind: Deployment\nmetadata: [\n"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {password: VALUE}\n"


@pytest.fixture
def branch(repo):
    """Return a repository whose branch `feature` left `main` after one commit."""
    sandbox = repo({"apps/web.yaml": WEB, "apps/settings.yaml": OLD_SIN}).commit()
    sandbox.git("branch", "-M", "main")
    sandbox.git("checkout", "--quiet", "-b", "feature")
    return sandbox


def planned(sandbox, *more, code=0, **variables):
    sandbox.run(
        "pr",
        "--from",
        "main",
        "--policies",
        "none",
        "--plan",
        "plan.json",
        "--markdown",
        "report.md",
        *more,
        **variables,
    ).assert_code(code)
    document = json.loads((sandbox.root / "plan.json").read_text())
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    return document


def test_pr_when_nothing_changes_then_it_passes_in_one_line(branch):
    outcome = branch.commit({"README.md": "x"}).run("pr", "--from", "main")
    outcome.assert_code(0)
    assert outcome.out.startswith("✅ gitops-guard: nothing stops the merge: no object changes\n")


def test_pr_when_the_base_has_findings_then_they_do_not_block(branch):
    document = planned(branch.commit({"apps/web.yaml": WEB.replace("web:1.0", "web:1.1")}))
    assert ([], 1) == (document["findings"], document["known"])
    assert {"apps"} == {unit["name"] for unit in document["units"]}
    assert ["ok"] == [rollout["verdict"] for rollout in document["units"][0]["rollouts"]]


def test_pr_when_a_finding_is_new_then_it_blocks(branch):
    document = planned(branch.commit({"apps/web.yaml": WEB.replace("replicas: 3", "replicas: 3\n  bogus: 1")}), code=1)
    assert ["unknown-field"] == [finding["rule"] for finding in document["findings"]]
    assert "stops the merge: 1 blocking" in (branch.root / "report.md").read_text()


def test_pr_when_a_known_finding_moves_then_it_does_not_block(branch):
    planned(branch.commit({"apps/settings.yaml": "# a comment\n" + OLD_SIN}))


def test_pr_when_a_rollout_would_take_everything_down_then_the_gate_decides(branch):
    recreate = WEB.replace("replicas: 3", "replicas: 3\n  strategy: {type: Recreate}").replace("web:1.0", "web:1.1")
    branch.commit({"apps/web.yaml": recreate})
    planned(branch, code=1)
    planned(branch, "--fail-on-rollout", "stuck")


def test_pr_when_a_file_can_no_longer_be_read_then_it_could_not_check(branch):
    document = planned(branch.commit({"apps/web.yaml": BROKEN}), code=2)
    assert 1 == len(document["errors"]) + sum(len(unit["errors"]) for unit in document["units"])


def test_pr_when_the_base_could_not_be_read_then_repairing_it_passes(repo):
    sandbox = repo({"apps/web.yaml": BROKEN}).commit()
    sandbox.git("branch", "-M", "main")
    sandbox.git("checkout", "--quiet", "-b", "feature")
    document = planned(sandbox.commit({"apps/web.yaml": WEB}))
    assert ["apps/web.yaml cannot be read in the base: what changes in it is not shown"] == document["notes"]


KUSTOMIZATION = "resources: [web.yaml]\nnamePrefix: live-\n"


def test_pr_when_a_kustomization_changes_then_it_is_compared_and_simulated_as_rendered(branch):
    branch.git("checkout", "--quiet", "main")
    branch.commit({"apps/kustomization.yaml": KUSTOMIZATION})
    branch.git("checkout", "--quiet", "feature")
    branch.git("rebase", "--quiet", "main")
    changed = KUSTOMIZATION + "images: [{name: registry.example.com/web, newTag: '1.1'}]\n"
    document = planned(branch.commit({"apps/kustomization.yaml": changed}))
    (unit,) = document["units"]
    assert ("kustomization", "rendered", []) == (unit["kind"], unit["source"], document["unseen"])
    assert ["live-web"] == [change["resource"]["name"] for change in unit["changes"]]
    assert ["ok"] == [rollout["verdict"] for rollout in unit["rollouts"]]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param((), {"eu": "kubernetes 1.35", "us": "kubernetes 1.36"}, id="each its own"),
        pytest.param(("--simulate-version", "1.34"), dict.fromkeys(("eu", "us"), "kubernetes 1.34"), id="as told"),
    ],
)
def test_pr_when_clusters_run_different_versions_then_rollouts_are_simulated_for_each(repo, arguments, expected):
    deploys = (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: web, namespace: flux-system}\n"
        "spec: {path: ./apps, prune: true, interval: 5m, sourceRef: {kind: GitRepository, name: flux-system}}\n"
    )
    sandbox = repo(
        {
            "apps/web.yaml": WEB,
            "apps/kustomization.yaml": "resources: [web.yaml]\n",
            "clusters/eu/web.yaml": deploys,
            "clusters/us/web.yaml": deploys,
            ".gitops-guard.yaml": "kubernetes-versions: ['1.36']\nclusters:\n  eu: {kubernetes-version: '1.35'}\n  us: {}\n",
        }
    ).commit()
    sandbox.git("branch", "-M", "main")
    sandbox.git("checkout", "--quiet", "-b", "feature")
    sandbox.commit({"apps/web.yaml": WEB.replace("web:1.0", "web:1.1")})

    document = planned(sandbox, *arguments)

    assert expected == {one["cluster"]: one["rollouts"][0]["model"] for one in document["units"]}


def test_pr_when_something_cannot_be_rendered_then_it_is_no_pass_unless_allowed(branch):
    branch.commit({"apps/kustomization.yaml": "resources: [web.yaml, 'https://example.invalid/base']\n"})
    assert ["apps/kustomization.yaml"] == sorted({entry["path"] for entry in planned(branch, code=2)["unseen"]})
    planned(branch, "--allow-unpreviewed")


def test_pr_when_its_own_settings_change_then_it_says_so(branch):
    document = planned(branch.commit({".gitops-guard.yaml": "missing-schema: error\n"}))
    assert "judged by its own settings" in document["notes"][0]


def test_pr_when_the_target_has_moved_on_then_only_the_branch_counts(branch):
    branch.commit({"apps/web.yaml": WEB.replace("web:1.0", "web:1.1")})
    branch.git("checkout", "--quiet", "main")
    branch.commit({"apps/settings.yaml": SETTINGS, "apps/new.yaml": SETTINGS.replace("settings", "other")})
    branch.git("checkout", "--quiet", "feature")
    document = planned(branch)
    assert ["web"] == [change["resource"]["name"] for unit in document["units"] for change in unit["changes"]]
    assert not document["merged"]


def test_pr_when_it_is_a_merge_of_both_then_the_result_is_what_is_looked_at(branch):
    branch.commit({"apps/web.yaml": WEB.replace("web:1.0", "web:1.1")})
    feature = branch.git("rev-parse", "HEAD").strip()
    branch.git("checkout", "--quiet", "main")
    branch.commit({"apps/new.yaml": SETTINGS.replace("settings", "other")})
    branch.git("checkout", "--quiet", "--detach")
    branch.git("merge", "--quiet", "--no-edit", "feature")
    document = planned(branch, "--head", "feature")
    assert (True, feature) == (document["merged"], document["head"])
    assert ["web"] == [change["resource"]["name"] for unit in document["units"] for change in unit["changes"]]


def test_pr_when_a_secret_changes_then_the_plan_says_which_key_and_no_value(branch):
    branch.git("checkout", "--quiet", "main")
    branch.commit({"apps/db.yaml": SECRET.replace("VALUE", "hunter2hunter2")})
    branch.git("checkout", "--quiet", "feature")
    branch.git("rebase", "--quiet", "main")
    document = planned(branch.commit({"apps/db.yaml": SECRET.replace("VALUE", "correct-horse-battery")}))
    text = json.dumps(document) + (branch.root / "report.md").read_text()
    assert "password" in text
    assert not [secret for secret in ("hunter2", "correct-horse", "aHVudGVy", "Y29ycmVjdC1o") if secret in text]


def test_pr_when_outside_of_ci_without_a_target_then_it_asks_for_one(branch):
    outcome = branch.run("pr")
    outcome.assert_code(2)
    assert "--from origin/main" in outcome.err


# Shards and reports


def shards(sandbox, total):
    for index in range(total):
        sandbox.run(
            "pr",
            "--from",
            "main",
            "--policies",
            "none",
            "--plan",
            f"plan-{index}.json",
            "--shard",
            f"{index}/{total}",
            "--number",
            "7",
        )
    return [f"plan-{index}.json" for index in range(total)]


def many(sandbox):
    return sandbox.commit({f"apps/a{number}/web.yaml": WEB.replace("web", f"web{number}") for number in range(9)})


def test_report_when_all_shards_are_there_then_it_tells_the_same_as_one_run(branch):
    many(branch).commit({"apps/bad.yaml": OLD_SIN.replace("settings", "bad")})
    whole = planned(branch, "--number", "7", code=1)
    names = shards(branch, 4)
    sizes = [len(json.loads((branch.root / name).read_text())["units"]) for name in names]
    assert len(whole["units"]) == sum(sizes) > max(sizes)
    outcome = branch.run("report", *names, "--post", "local:out")
    outcome.assert_code(1)
    branch.run("report", "plan.json", "--post", "local:once").assert_code(1)
    joined, once = ((branch.root / place / "comments/7/000001.md").read_text() for place in ("out", "once"))
    assert joined.split("\n")[1:-2] == once.split("\n")[1:-2]


def test_report_when_a_shard_is_missing_then_it_could_not_check(branch):
    names = shards(many(branch), 3)
    outcome = branch.run("report", *names[:-1])
    outcome.assert_code(2)
    assert "shard 2 of 3 brought no plan" in outcome.out


def test_report_when_a_shard_comes_twice_then_it_is_refused(branch):
    names = shards(many(branch), 2)
    branch.run("report", names[0], names[0]).assert_code(2)


@pytest.mark.parametrize(
    ("shard", "variables", "expected"),
    [
        pytest.param("1/3", {}, (1, 3), id="named"),
        pytest.param("auto", {"JOB_COMPLETION_INDEX": "2", "GITOPS_GUARD_SHARDS": "5"}, (2, 5), id="indexed job"),
        pytest.param("auto", {"CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "4"}, (0, 4), id="gitlab parallel"),
        pytest.param("auto", {"STRATEGY_JOB_INDEX": "3", "STRATEGY_JOB_TOTAL": "4"}, (3, 4), id="matrix"),
    ],
)
def test_pr_when_it_is_a_shard_then_ci_may_say_which(branch, shard, variables, expected):
    document = planned(branch.commit({"README.md": "x"}), "--shard", shard, **variables)
    assert expected == (document["shard"]["index"], document["shard"]["total"])


@pytest.mark.parametrize("shard", ["3/3", "-1/3", "1", "x/y", "1/0", "1/2000", "auto"])
def test_pr_when_the_shard_is_none_then_it_is_refused(branch, shard):
    branch.run("pr", "--from", "main", "--policies", "none", f"--shard={shard}").assert_code(2)


def test_report_when_posted_again_then_nothing_is_written(branch):
    planned(branch.commit({"apps/web.yaml": WEB.replace("web:1.0", "web:1.1")}), "--number", "7")
    said = [branch.run("report", "plan.json", "--post", "local:out").err for _ in range(2)]
    assert ["gitops-guard: comment created\n", "gitops-guard: comment unchanged\n"] == said
    status = json.loads(next((branch.root / "out/checks").iterdir()).read_text())["gitops-guard"]
    assert ("success", "nothing stops the merge: 1 app · +0 ~1 -0") == (status["state"], status["title"])


EVENT = {
    "pull_request": {
        "number": 7,
        "head": {"sha": "a" * 40, "repo": {"id": 1}},
        "base": {"ref": "main", "repo": {"id": 1}},
    }
}
ACTIONS = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": "event.json", "GITHUB_REPOSITORY": "acme/shop"}


def forged(sandbox, **more):
    document = planned(sandbox.commit({"apps/web.yaml": WEB.replace("web:1.0", "web:1.1")}), "--number", "7")
    (sandbox.root / "plan.json").write_text(json.dumps(document | more))
    return document["head"]


def event(sandbox, head, number=7):
    pull = EVENT["pull_request"] | {"number": number, "head": {"sha": head, "repo": {"id": 1}}}
    (sandbox.root / "event.json").write_text(json.dumps({"pull_request": pull}))


@pytest.mark.parametrize(
    ("more", "why"),
    [
        pytest.param({"pull": 8}, "another pull request", id="pull request"),
        pytest.param({"repository": "acme/other"}, "another repository", id="repository"),
        pytest.param({"head": "c" * 40}, "another commit", id="commit"),
        pytest.param({"pull": 0}, "another pull request", id="none"),
    ],
)
def test_report_when_the_plan_is_of_something_else_than_the_event_then_it_is_refused(branch, more, why):
    event(branch, forged(branch, **more))
    outcome = branch.run("report", "plan.json", "--post", "local:out", **ACTIONS)
    outcome.assert_code(2)
    assert why in outcome.err
    assert not (branch.root / "out").exists()


def test_report_when_the_forge_knows_another_head_then_it_is_refused(branch):
    head = forged(branch)
    (branch.root / "out/pulls").mkdir(parents=True)
    known = {"number": 7, "head": "d" * 40, "target": "main", "is_open": True, "is_fork": False}
    (branch.root / "out/pulls/7.json").write_text(json.dumps(known))
    outcome = branch.run("report", "plan.json", "--post", "local:out")
    outcome.assert_code(2)
    assert "pull request's newest" in outcome.err
    assert len(head) == 40


def test_report_when_the_plan_claims_a_looser_gate_then_ours_holds(branch):
    gate = {"fail_on": "error", "rollout": "stuck", "unseen_passes": True}
    forged(branch, gate=gate, unseen=[{"path": "a", "resource": "", "reason": "chart"}])
    branch.run("report", "plan.json", "--post", "local:out").assert_code(2)


def test_report_when_a_secret_stands_in_the_plan_then_it_is_hidden_everywhere(branch):
    head = forged(branch)
    document = json.loads((branch.root / "plan.json").read_text())
    change = document["units"][0]["changes"][0]
    change["resource"] = {"apiVersion": "v1", "kind": "Secret", "namespace": "shop", "name": "db"}
    change["fields"][0] |= {
        "field": "data.password",
        "path": ["data", "password"],
        "old": "aHVudGVyMg==",
        "new": "c2VjcmV0",
    }
    (branch.root / "plan.json").write_text(json.dumps(document))
    branch.run(
        "report",
        "plan.json",
        "--post",
        "local:out",
        "--markdown",
        "r.md",
        "--html",
        "r.html",
        "--sarif",
        "r.sarif",
        "--code-quality",
        "q.json",
    )
    texts = [
        path.read_text()
        for path in branch.root.rglob("*")
        if path.is_file() and ".git" not in path.parts and path.name != "plan.json"
    ]
    assert not [text for text in texts if "aHVudGVyMg" in text or "c2VjcmV0" in text]
    assert len(head) == 40
