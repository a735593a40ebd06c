"""plan.json: written, read, and refused where it is not to be trusted."""

import io
import json
from importlib.resources import files

import jsonschema
import pytest

from gitops_guard.errors import PlanError
from gitops_guard.report.pull.plan_json import plan_object, write_plan
from gitops_guard.report.pull.plan_reader import read_plan

SCHEMA = json.loads(files("gitops_guard.report.pull").joinpath("plan.schema.json").read_text("utf-8"))


def data(document):
    return json.dumps(document).encode()


def at(document, *path):
    for key in path[:-1]:
        document = document[key]
    return document, path[-1]


def test_plan_when_written_then_it_fits_its_schema_and_reads_back_the_same(plans):
    document = plan_object(plans.ordinary())
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert document == plan_object(read_plan(data(document)))


def test_plan_when_written_twice_then_the_bytes_are_the_same(plans):
    texts = []
    for _ in range(2):
        out = io.StringIO()
        write_plan(plans.ordinary(), out)
        texts.append(out.getvalue())
    assert texts[0] == texts[1]
    assert texts[0].isascii()


def test_plan_when_names_are_longer_than_any_server_takes_then_it_still_fits_its_schema(plans):
    before, after = plans.deployment("n" * 5000, "a" * 300_000), plans.deployment("n" * 5000, "b" * 300_000)
    unit = plans.app("x" * 900)
    plan = plans.plan(units=(unit, plans.app("y"), type(unit)(name="z", changes=plans.changes([before], [after]))))
    jsonschema.Draft202012Validator(SCHEMA).validate(plan_object(plan))


def test_plan_when_an_object_is_huge_then_it_says_how_much_is_left_out(plans):
    big = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "big"}, "data": {"x": "y" * 200_000}}
    unit = type(plans.app("a"))(name="big", changes=plans.changes([], [big]))
    (change,) = plan_object(plans.plan(units=(unit,)))["units"][0]["changes"]
    assert {"apiVersion": "v1", "kind": "ConfigMap"}.items() <= change["object"].items()
    assert "200,0" in change["object"]["leftOut"]


SECRET_FIELD = {
    "op": "changed", "field": "data.password", "path": ["data", "password"], "old": "aHVudGVyMg==", "new": "c2VjcmV0",
    "masked": False, "class": "secret", "document": "",
}  # fmt: skip


def test_reader_when_the_planner_did_not_mask_then_it_masks(plans):
    document = plan_object(plans.ordinary())
    secret = {"apiVersion": "v1", "kind": "Secret", "namespace": "shop", "name": "db"}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"password": "hunter2"}}
    shape = document["units"][0]["changes"][0] | {"resource": secret}
    document["units"][0]["changes"] = [
        shape | {"fields": [SECRET_FIELD], "folded": [SECRET_FIELD | {"reason": "order only"}]},
        shape | {"action": "created", "fields": [], "object": body},
    ]
    document["units"][0]["changes"][0]["fields"].append(
        SECRET_FIELD
        | {"field": "spec.env[name=DB_PASSWORD].value", "path": ["spec", "env", 0, "value"], "old": "hunter2"}
    )
    read = read_plan(data(document))
    again = json.dumps(plan_object(read))
    assert not [value for value in ("hunter2", "aHVudGVyMg==", "c2VjcmV0") if value in again]


def test_reader_when_a_rule_names_a_page_of_the_planners_choice_then_it_is_dropped(plans):
    document = plan_object(plans.ordinary())
    document["findings"][0]["doc"] = "https://evil.example/"
    assert "" == read_plan(data(document)).findings[0].doc_url


def nested(levels):
    value = {}
    for _ in range(levels):
        value = {"a": value}
    return value


HOSTILE = [
    (("version",), 2), (("version",), True), (("version",), 1.0), (("version",), "1"), (("head",), "x" * 40),
    (("head",), "a" * 40 + "\n"), (("head",), "A" * 40), (("head",), "a" * 39), (("base",), "../../" + "a" * 34),
    (("pull",), -1), (("pull",), 1.0), (("pull",), "7"), (("pull",), 2**60), (("pull",), True), (("pull",), None),
    (("verdict",), "passed"), (("markdown",), "# passed"), (("gate", "fail_on"), "never"), (("gate", "rollout"), "no-op"),
    (("gate", "unseen_passes"), "yes"), (("gate", "extra"), 1), (("units",), {}), (("units",), None),
    (("units", 0, "name"), ["x"]), (("units", 0, "name"), "x" * 5000), (("units", 0, "html"), "<b>"),
    (("units", 0, "source"), "trusted"), (("units", 0, "changes", 0, "action"), "ignored"),
    (("units", 0, "changes", 0, "object"), "text"), (("units", 0, "changes", 0, "classes"), ["harmless"]),
    (("units", 0, "changes", 0, "fields", 0, "op"), "moved"), (("units", 0, "changes", 0, "fields", 0, "old"), nested(200)),
    (("units", 0, "changes", 0, "resource", "uid"), "1"), (("units", 0, "changes", 0, "path"), "p" * 9000),
    (("units", 0, "changes", 0, "line"), -3), (("units", 0, "rollouts", 0, "verdict"), "fine"),
    (("units", 0, "rollouts", 0, "trajectories", 0, "steps", 0, "t_s"), 5.0),
    (("units", 0, "rollouts", 0, "trajectories", 0, "steps", 2, "t_s"), 1.0),
    (("units", 0, "rollouts", 0, "trajectories", 0, "steps", 1, "old"), -1),
    (("units", 0, "rollouts", 0, "trajectories", 0, "steps", 1, "t_s"), 1e300),
    (("units", 0, "rollouts", 0, "peak_pods"), 10**30), (("findings",), "none"), (("findings", 0, "severity"), "fatal"),
    (("findings", 0, "rule"), "r" * 300), (("findings", 0, "line"), 1.5), (("errors",), [{}]), (("unseen",), [["x"]]),
    (("shard",), {"index": 4, "total": 4}), (("shard",), {"index": 0, "total": 0}), (("shard",), "0/4"),
    (("tool",), "t" * 100), (("notes",), ["n"] * 101), (("duration_s",), -1), (("drift",), [{}]), (("run",), 1e400),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value"), [pytest.param(*case, id=f"{number}") for number, case in enumerate(HOSTILE)]
)
def test_reader_when_a_plan_is_forged_then_it_is_refused_without_repeating_it(plans, path, value):
    document = plan_object(plans.ordinary())
    owner, key = at(document, *path)
    owner[key] = value
    with pytest.raises(PlanError) as refused:
        read_plan(data(document))
    assert len(str(refused.value)) < 200
    assert "evil" not in str(refused.value)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"\xff\xfe{\x00}\x00", id="utf-16"),
        pytest.param(b'{"version": 1, "version": 1}', id="twin keys"),
        pytest.param(b'{"version": 1, "run": NaN}', id="nan"),
        pytest.param(b'{"version": 1} {"version": 1}', id="two documents"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"version": ' + b"9" * 10_000 + b"}", id="long number"),
        pytest.param(b'{"version": 1, "evil": "\\ud800"}', id="unknown key"),
    ],
)
def test_reader_when_it_is_no_plan_then_it_is_refused(raw):
    with pytest.raises(PlanError):
        read_plan(raw)


def test_reader_when_a_plan_is_too_large_then_it_is_not_parsed():
    with pytest.raises(PlanError, match="at most 10 are read"):
        read_plan(b" " * 11, max_bytes=10)
