"""`gitops-guard simulate` from end to end: what it reads, what it says, how it ends."""

import json
from importlib.resources import files

import jsonschema
import pytest

SCHEMA = json.loads(files("gitops_guard.report.simulation").joinpath("simulate.schema.json").read_text("utf-8"))
WEB = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  replicas: 4
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
NEW = WEB.replace("web:1.0", "web:1.1")
RECREATE = "  strategy: {type: Recreate}\n  replicas: 4\n"
SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\ndata: {colour: COLOUR}\n"


def recreate(text):
    return text.replace("  replicas: 4\n", RECREATE)


def simulated(outcome, code=0):
    outcome.assert_code(code)
    document = outcome.json()
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    return document


def verdicts(document):
    return {one["resource"]["name"]: one["verdict"] for one in document["rollouts"]}


def test_simulate_when_two_files_differ_then_the_prediction_fits_its_schema(repo):
    sandbox = repo({"a.yaml": WEB, "b.yaml": NEW})
    document = simulated(sandbox.run("simulate", "a.yaml", "b.yaml", "--format", "json"))
    assert {"web": "ok"} == verdicts(document)
    assert ["spec.template.spec.containers[0].image"] == document["rollouts"][0]["triggers"]
    assert (1, [], []) == (document["version"], document["hazards"], document["errors"])


def test_simulate_when_run_twice_then_the_bytes_are_the_same(repo):
    sandbox = repo({"a.yaml": WEB, "b.yaml": NEW})
    first, second = (sandbox.run("simulate", "a.yaml", "b.yaml", "--format", "json") for _ in range(2))
    assert first.out == second.out


@pytest.mark.parametrize("before", [pytest.param("/dev/null", id="dev-null"), pytest.param("other.yaml", id="missing")])
def test_simulate_when_before_lacks_the_workload_then_it_is_created(repo, before):
    sandbox = repo({"b.yaml": WEB, "other.yaml": SETTINGS})
    document = simulated(sandbox.run("simulate", before, "b.yaml", "--format", "json"))
    assert "" == document["rollouts"][0]["rollback_to"]
    assert 4 == document["rollouts"][0]["peak_pods"]


def test_simulate_when_before_is_standard_input_then_it_is_read(repo):
    sandbox = repo({"b.yaml": NEW})
    assert {"web": "ok"} == verdicts(
        simulated(sandbox.run("simulate", "-", "b.yaml", "--format", "json", stdin=WEB.encode()))
    )


@pytest.mark.parametrize(
    ("fail_on", "code"),
    [pytest.param("stuck", 0, id="stuck"), pytest.param("downtime", 1, id="downtime"), pytest.param("degraded", 1, id="degraded")],
)  # fmt: skip
def test_simulate_fail_on_when_there_is_downtime_then_the_gate_decides(repo, fail_on, code):
    sandbox = repo({"a.yaml": recreate(WEB), "b.yaml": recreate(NEW)})
    outcome = sandbox.run("simulate", "a.yaml", "b.yaml", "--fail-on", fail_on, "--format", "json")
    document = simulated(outcome, code)
    assert {"web": "downtime"} == verdicts(document)
    assert ["recreate-downtime"] == [hazard["rule"] for hazard in document["hazards"]]


def test_simulate_when_a_hazard_is_found_then_its_line_is_named_and_an_error_fails(repo):
    after = WEB.replace("{app: web}", "{app: web, tier: front}")
    document = simulated(
        repo({"a.yaml": WEB, "b.yaml": after}).run("simulate", "a.yaml", "b.yaml", "--format", "json"), 1
    )
    hazard = document["hazards"][0]
    assert ("immutable-field-change", "b.yaml", 9, "spec.selector") == (
        hazard["rule"], hazard["path"], hazard["line"], hazard["field"],
    )  # fmt: skip


def test_simulate_when_a_hazard_is_accepted_then_it_is_silenced_and_check_does_not_call_that_unused(repo):
    comment = "# gitops-guard: ignore recreate-downtime planned for Sunday\n"
    sandbox = repo({"a.yaml": recreate(WEB), "b.yaml": comment + recreate(NEW)})
    document = simulated(sandbox.run("simulate", "a.yaml", "b.yaml", "--fail-on", "stuck", "--format", "json"))
    assert ([], 1) == (document["hazards"], document["silenced"])
    sandbox.run("check", "b.yaml", "--policies", "none").assert_clean()


def test_simulate_when_the_configuration_switches_a_hazard_off_then_it_is_gone(repo):
    config = "severity: {recreate-downtime: off}\n"
    sandbox = repo({"a.yaml": recreate(WEB), "b.yaml": recreate(NEW), ".gitops-guard.yaml": config})
    document = simulated(sandbox.run("simulate", "a.yaml", "b.yaml", "--fail-on", "stuck", "--format", "json"))
    assert [] == document["hazards"]


def test_simulate_revisions_then_changed_workloads_are_predicted_and_others_counted(repo):
    other = WEB.replace("name: web", "name: api").replace("app: web", "app: api")
    sandbox = repo().commit({"web.yaml": WEB, "api.yaml": other}).commit({"web.yaml": NEW})
    document = simulated(sandbox.run("simulate", "--from", "HEAD~1", "--to", "HEAD", "--format", "json"))
    assert ({"web": "ok"}, 1) == (verdicts(document), document["unchanged"])


def test_simulate_revisions_when_a_path_is_named_then_nothing_else_is_read(repo):
    sandbox = repo().commit({"a/web.yaml": WEB, "b/bad.yaml": "kind: {"}).commit({"a/web.yaml": NEW})
    assert {"web": "ok"} == verdicts(simulated(sandbox.run("simulate", "--from", "HEAD~1", "a", "--format", "json")))


def test_simulate_revisions_when_a_config_map_changes_then_its_consumer_is_a_no_op(repo):
    reader = WEB.replace(
        "          readinessProbe", "          envFrom: [{configMapRef: {name: settings}}]\n          readinessProbe"
    )
    first = {"web.yaml": reader, "settings.yaml": SETTINGS.replace("COLOUR", "red")}
    sandbox = repo().commit(first).commit({"settings.yaml": SETTINGS.replace("COLOUR", "blue")})
    document = simulated(sandbox.run("simulate", "--from", "HEAD~1", "--format", "json"))
    assert {"web": "no-op"} == verdicts(document)
    assert document["rollouts"][0]["reasons"][0].startswith("ConfigMap settings changes under the same name")
    assert ["stale-config"] == [hazard["rule"] for hazard in document["hazards"]]


def test_simulate_when_a_secret_changes_then_no_format_shows_its_value(repo):
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: settings, namespace: shop}\nstringData: {key: VALUE}\n"
    reader = WEB.replace(
        "          readinessProbe", "          envFrom: [{secretRef: {name: settings}}]\n          readinessProbe"
    )
    files = {
        "a.yaml": f"{reader}---\n{secret.replace('VALUE', 'hunter1')}",
        "b.yaml": f"{reader}---\n{secret.replace('VALUE', 'hunter2')}",
    }
    sandbox = repo(files)
    for name in ("text", "json", "markdown", "html"):
        outcome = sandbox.run("simulate", "a.yaml", "b.yaml", "--format", name)
        assert "stale-config" in outcome.out
        assert "hunter" not in outcome.out + outcome.err


def test_simulate_assume_then_given_times_are_used_and_said(repo):
    sandbox = repo(
        {"a.yaml": WEB, "b.yaml": NEW, "assume.yaml": "app_start: 100\nimage_pull: {low: 1, likely: 2, high: 3}\n"}
    )
    document = simulated(sandbox.run("simulate", "a.yaml", "b.yaml", "--assume", "assume.yaml", "--format", "json"))
    assert document["rollouts"][0]["duration_s"]["low"] > 100
    assert {"image pull": "given"}.items() <= {
        one["name"]: one["source"] for one in document["rollouts"][0]["assumptions"]
    }.items()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("a.yaml",), "name two files, BEFORE and AFTER", id="one-file"),
        pytest.param(("-", "-"), "standard input (-) can be read only once", id="stdin-twice"),
        pytest.param(("--to", "HEAD"), "--to needs --from", id="to-alone"),
        pytest.param(("a.yaml", "none.yaml"), "none.yaml: cannot be read", id="missing-file"),
        pytest.param(("a.yaml", "a.yaml", "--kubernetes-version", "x"), "--kubernetes-version", id="version"),
        pytest.param(("a.yaml", "a.yaml", "--assume", "assume.yaml"), "assume.yaml: unknown assumption 'app_strat'", id="assume"),
    ],
)  # fmt: skip
def test_simulate_when_it_is_asked_wrongly_then_the_message_says_what_to_do(repo, arguments, said):
    outcome = repo({"a.yaml": WEB, "assume.yaml": "app_strat: 5\n"}).run("simulate", *arguments)
    outcome.assert_code(2)
    assert said in outcome.err
    assert "" == outcome.out


def test_simulate_when_one_workload_takes_too_long_then_it_is_an_error_and_hides_no_other(repo):
    huge = (
        WEB.replace("replicas: 4", "replicas: 2000000")
        .replace("name: web", "name: huge")
        .replace("Deployment", "StatefulSet")
    )
    sandbox = repo({"a.yaml": f"{WEB}---\n{huge}", "b.yaml": f"{NEW}---\n{huge.replace(':1.0', ':1.1')}"})
    document = simulated(sandbox.run("simulate", "a.yaml", "b.yaml", "--format", "json"), 2)
    assert {"web": "ok"} == verdicts(document)
    assert ("b.yaml", 19) == (document["errors"][0]["path"], document["errors"][0]["line"])


def test_simulate_when_a_file_cannot_be_read_as_yaml_then_it_is_an_error_with_its_line(repo):
    sandbox = repo({"a.yaml": WEB, "b.yaml": f"{NEW}---\nkind: [\n"})
    document = simulated(sandbox.run("simulate", "a.yaml", "b.yaml", "--format", "json"), 2)
    assert "b.yaml" == document["errors"][0]["path"]
    assert {"web": "ok"} == verdicts(document)


def test_simulate_revisions_when_two_folders_hold_the_same_objects_then_they_are_kept_apart(repo):
    quota = "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: quota, namespace: shop}\nspec: {hard: {pods: '6'}}\n"
    sides = [{f"clusters/{name}/web.yaml": text for name in ("dev", "prod")} for text in (WEB, NEW)]
    sandbox = repo().commit({**sides[0], "clusters/prod/quota.yaml": quota}).commit(sides[1])
    document = simulated(sandbox.run("simulate", "--from", "HEAD~1", "--format", "json"))
    assert (2, []) == (len(document["rollouts"]), document["hazards"])


def test_simulate_when_before_comes_from_a_cluster_then_its_namespace_is_the_one_that_after_leaves_out(repo):
    live = (
        WEB.replace("namespace: shop", "namespace: default\n  uid: 5f1c\n  resourceVersion: '7'")
        + "status: {replicas: 4}\n"
    )
    files = {"live.yaml": live, "web.yaml": NEW.replace("  namespace: shop\n", "")}
    document = simulated(repo(files).run("simulate", "live.yaml", "web.yaml", "--format", "json"))
    assert ["spec.template.spec.containers[0].image"] == document["rollouts"][0]["triggers"]


@pytest.mark.parametrize(
    ("second", "code"), [pytest.param("kind: {", 0, id="unchanged"), pytest.param("kind: [", 2, id="changed")]
)
def test_simulate_revisions_when_a_file_is_unreadable_then_it_matters_only_if_it_changes(repo, second, code):
    sandbox = repo().commit({"web.yaml": WEB, "bad.yaml": "apiVersion: v1\nkind: {"})
    sandbox.commit({"web.yaml": NEW, "bad.yaml": f"apiVersion: v1\n{second}"})
    document = simulated(sandbox.run("simulate", "--from", "HEAD~1", "--format", "json"), code)
    assert {"web": "ok"} == verdicts(document)


def test_simulate_when_after_cannot_be_read_at_all_then_it_is_an_error(repo):
    outcome = repo({"a.yaml": WEB, "b.yaml": "kind: {"}).run("simulate", "a.yaml", "b.yaml")
    outcome.assert_code(2)


NODES = {
    "version": 1,
    "kubernetes": "v1.36.3",
    "nodes": [{"name": "one", "labels": {}, "allocatable": {"cpu": "1", "memory": "1Gi", "pods": "4"}}],
    "pods": [
        {
            "namespace": "shop",
            "name": f"web-{number}",
            "node": "one",
            "workload": "Deployment/web",
            "labels": {"app": "web"},
        }
        for number in range(4)
    ],
    "objects": {},
}


def test_simulate_when_the_snapshot_has_no_node_with_room_then_the_rollout_is_stuck(repo):
    rigid = "  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}\n  replicas: 4\n"
    files = {"a.yaml": WEB.replace("  replicas: 4\n", rigid), "b.yaml": NEW.replace("  replicas: 4\n", rigid)}
    sandbox = repo(files | {"cluster.json": json.dumps(NODES)})
    without = simulated(sandbox.run("simulate", "a.yaml", "b.yaml", "--format", "json"))
    found = simulated(
        sandbox.run("simulate", "a.yaml", "b.yaml", "--snapshot", "cluster.json", "--format", "json"), code=1
    )
    assert ({"web": "ok"}, {"web": "stuck"}) == (verdicts(without), verdicts(found))
    assert ["no-node-fits"] == [one["rule"] for one in found["hazards"]]
    assert "1 node: 1 Too many pods" in found["rollouts"][0]["reasons"][0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("{", "is no JSON", id="no-json"),
        pytest.param("{}", "version must be 1", id="something-else"),
        pytest.param(
            json.dumps(NODES | {"nodes": [{"labels": {}}]}), "nodes.0 is not as the schema wants it", id="no-name"
        ),
        pytest.param(
            json.dumps(NODES | {"secrets": ["hunter2"]}), "the document is not as the schema wants it", id="more"
        ),
    ],
)
def test_simulate_when_the_snapshot_is_none_then_2_and_no_value_of_it_is_shown(repo, text, message):
    outcome = repo({"a.yaml": WEB, "b.yaml": NEW, "s.json": text}).run(
        "simulate", "a.yaml", "b.yaml", "--snapshot", "s.json"
    )
    outcome.assert_code(2)
    assert message in outcome.err
    assert "hunter2" not in outcome.err


MEASURED = """assumptions:
  app_start: 2
  workloads:
    Deployment/shop/web: {app_start: 3, image_pull: 0}
"""


def test_simulate_when_the_configuration_measured_times_then_they_are_taken_and_a_file_wins(repo):
    sandbox = repo(
        {
            "a.yaml": WEB,
            "b.yaml": NEW,
            ".gitops-guard.yaml": MEASURED,
            "mine.yaml": "workloads: {Deployment/shop/web: {app_start: 50}}",
        }
    )

    def start(*more):
        document = simulated(sandbox.run("simulate", "a.yaml", "b.yaml", "--format", "json", *more))
        return document["rollouts"][0]["duration_s"]["low"]

    assert 3 < start() < 10
    assert start("--assume", "mine.yaml") > 50


def test_simulate_when_the_configuration_has_an_unknown_assumption_then_2_and_it_is_named(repo):
    sandbox = repo({"a.yaml": WEB, "b.yaml": NEW, ".gitops-guard.yaml": "assumptions: {app_strat: 2}\n"})
    outcome = sandbox.run("simulate", "a.yaml", "b.yaml")
    outcome.assert_code(2)
    assert ".gitops-guard.yaml: assumptions: unknown assumption 'app_strat'" in outcome.err


def test_simulate_when_workloads_have_sync_waves_then_they_come_in_their_order(repo):
    def named(name, wave, text):
        return text.replace(
            "  name: web\n", f"  name: {name}\n  annotations: {{argocd.argoproj.io/sync-wave: '{wave}'}}\n"
        )

    sides = [
        "---\n".join(named(name, wave, text) for name, wave in (("a", 2), ("b", -1), ("c", 0))) for text in (WEB, NEW)
    ]
    sandbox = repo({"a.yaml": sides[0], "b.yaml": sides[1]})
    document = simulated(sandbox.run("simulate", "a.yaml", "b.yaml", "--format", "json"), code=1)
    assert [("b", -1), ("c", 0), ("a", 2)] == [
        (one["resource"]["name"], one["sync_wave"]) for one in document["rollouts"]
    ]


def test_simulate_when_before_comes_from_a_cluster_then_its_revision_is_what_a_rollback_goes_to(repo):
    live = WEB.replace("  name: web\n", "  name: web\n  annotations: {deployment.kubernetes.io/revision: '7'}\n", 1)
    document = simulated(repo({"a.yaml": live, "b.yaml": NEW}).run("simulate", "a.yaml", "b.yaml", "--format", "json"))
    assert "revision 7, the version before the merge" == document["rollouts"][0]["rollback_to"]
