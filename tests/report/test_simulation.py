"""The formats of `simulate`: as reviewed, within their contract, and harmless whatever a manifest holds."""

import io
import json
import re
import xml.etree.ElementTree as ElementTree
from importlib.resources import files

import jsonschema
import pytest
from markdown_it import MarkdownIt

from gitops_guard.model import CheckError, Finding, Location, ResourceId, Severity
from gitops_guard.model.rollout import Assumption, Rollout, RolloutVerdict, Seconds, Step, Trajectory
from gitops_guard.model.simulation import Simulation
from gitops_guard.report import FormatOptions
from gitops_guard.report.simulation import SIMULATION_FORMATS, words
from gitops_guard.report.simulation.chart import chart

SCHEMA = json.loads(files("gitops_guard.report.simulation").joinpath("simulate.schema.json").read_text("utf-8"))
EVIL = "\x1b[31m::error::x ````\n| <img src=x onerror=y> </title></svg><script>z</script> @root [l](http://e) \u202e<!-- --> \ud800"


def rollout(name="web", verdict=RolloutVerdict.OK, **more):
    steps = (
        Step(t_s=0.0, old=3, new=1, ready=3, available=3, terminating=1, cause="the Deployment changed"),
        Step(t_s=12.5, old=2, new=2, ready=3, available=3, terminating=1, cause="1 pod became ready"),
        Step(t_s=25.0, old=0, new=4, ready=4, available=4, terminating=0, cause="1 pod became ready", traffic=1.0),
    )
    values = {
        "resource": ResourceId(group="apps", version="v1", kind="Deployment", namespace="shop", name=name),
        "strategy": "RollingUpdate",
        "verdict": verdict,
        "reasons": (),
        "triggers": ("spec.template.spec.containers[0].image",),
        "min_available": 3,
        "worst_available": 3,
        "wanted_available": 3,
        "peak_pods": 4,
        "peak_existing_pods": 5,
        "extra_cpu_milli": 250,
        "extra_memory_bytes": 256 << 20,
        "downtime_s": Seconds(low=0.0, likely=0.0, high=0.0),
        "duration_s": Seconds(low=5.0, likely=25.0, high=140.0),
        "trajectories": tuple(Trajectory(name=way, steps=steps, complete=True) for way in ("best", "likely", "worst")),
        "assumptions": (Assumption(name="app start", value="5 s", source="default", effect="takes 5 s more"),),
        "rollback_to": "the version before the merge",
        "model": "kubernetes 1.36",
    }
    return Rollout(**(values | more))


def hazard(text="Recreate ends all old pods", **more):
    values = {
        "rule": "recreate-downtime",
        "severity": Severity.WARNING,
        "message": text,
        "resource": rollout().resource,
        "field": "spec.strategy.type",
        "location": Location(path="apps/web.yaml", line=7, column=3, end_line=7, end_column=9),
        "hint": "RollingUpdate",
        "fingerprint": "0123456789abcdef",
    }
    return Finding(**(values | more))


def never(name="db"):
    return rollout(
        name, RolloutVerdict.STUCK, reasons=("halts with 2 old and 1 new pods",), min_available=2, worst_available=1,
        duration_s=Seconds(low=None, likely=None, high=None), extra_cpu_milli=0, extra_memory_bytes=0, rollback_to="",
    )  # fmt: skip


SIMULATIONS = {
    "ordinary": Simulation(
        rollouts=(rollout(), never(), rollout("idle", RolloutVerdict.NO_OP, reasons=("OnDelete",), trajectories=())),
        hazards=(hazard(),),
        errors=(CheckError(path="a.yaml", line=3, column=0, message="too many pods"),),
        unchanged=2,
        silenced=1,
    ),
    "empty": Simulation(rollouts=()),
    "hostile": Simulation(
        rollouts=(rollout(EVIL, reasons=(EVIL,), triggers=(EVIL,), strategy=EVIL),),
        hazards=(hazard(EVIL, field=EVIL, hint=EVIL),),
        errors=(CheckError(path=EVIL, line=0, column=0, message=EVIL),),
    ),
}


def written(name, simulation, **options):
    out = io.StringIO()
    SIMULATION_FORMATS[name](simulation, out, FormatOptions(**options))
    return out.getvalue()


@pytest.mark.parametrize("name", list(SIMULATION_FORMATS))
@pytest.mark.parametrize("kind", list(SIMULATIONS))
def test_format_when_written_then_is_as_reviewed(name, kind, golden):
    golden(f"simulate-{name}/{kind}.txt", written(name, SIMULATIONS[kind]))


@pytest.mark.parametrize("name", list(SIMULATION_FORMATS))
def test_format_when_content_is_hostile_then_nothing_acts(name):
    text = written(name, SIMULATIONS["hostile"])
    assert text.encode("utf-8")
    assert not set(text) & {"\x1b", "\r", "\u202e"}
    assert not re.search(r"^\s*::", text, re.MULTILINE)


def test_text_when_coloured_then_only_colours_are_added():
    coloured = written("text", SIMULATIONS["ordinary"], colour=True)
    assert "\x1b[31mstuck\x1b[0m" in coloured
    assert written("text", SIMULATIONS["ordinary"]) == re.sub(r"\x1b\[\d+m", "", coloured)


@pytest.mark.parametrize("kind", list(SIMULATIONS))
def test_json_when_written_then_fits_its_schema(kind):
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(written("json", SIMULATIONS[kind])))


def test_json_schema_when_checked_then_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_markdown_when_content_is_hostile_then_no_html_link_or_image_of_it_is_live():
    html = MarkdownIt("commonmark").enable("table").render(written("markdown", SIMULATIONS["hostile"]))
    assert {"details", "summary"} >= set(re.findall(r"<(img|script|a|svg|title|details|summary)\b", html))


def test_html_when_content_is_hostile_then_every_tag_is_our_own_and_nothing_is_loaded():
    page = written("html", SIMULATIONS["hostile"])
    assert "<script" not in page
    assert "<img" not in page
    assert not re.search(r"""(?:src|href|url)\s*[=(]""", page.replace("&lt;img src=x", ""))
    assert 1 == page.count("</body>")


def test_chart_when_drawn_then_it_is_xml_with_a_title_and_a_description_for_those_who_cannot_see_it():
    picture = ElementTree.fromstring(chart(rollout(EVIL), "c"))
    names = [child.tag.rpartition("}")[2] for child in picture]
    assert ["title", "desc"] == names[:2]
    assert "img" == picture.get("role")
    assert "c-t c-d" == picture.get("aria-labelledby")


def test_chart_when_nothing_happens_over_time_then_there_is_none():
    assert "" == chart(rollout(trajectories=()), "c")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(0.0, "0 s", id="none"),
        pytest.param(7.25, "7.2 s", id="short"),
        pytest.param(119.96, "120 s", id="two-minutes-rounded"),
        pytest.param(124.0, "2 min 4 s", id="minutes"),
        pytest.param(7325.0, "2 h 2 min", id="hours"),
    ],
)
def test_seconds_when_printed_then_the_unit_fits_the_size(value, expected):
    assert expected == words.seconds(value)


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        pytest.param(
            Seconds(low=1.0, likely=2.0, high=None), "at least 1 s, likely 2 s, perhaps for ever", id="may-never-end"
        ),
        pytest.param(Seconds(low=None, likely=None, high=None), "never ends by itself", id="never"),
        pytest.param(Seconds(low=2.0, likely=2.0, high=2.0), "2 s", id="known"),
    ],
)
def test_interval_when_put_into_words_then_endless_times_are_named(times, expected):
    assert expected == words.interval(times)


def test_sampled_when_there_are_many_steps_then_ends_lowest_and_highest_are_kept():
    steps = [Step(t_s=float(t), old=3, new=0, ready=3, available=3, terminating=0) for t in range(1000)]
    steps[123] = Step(t_s=123.0, old=1, new=0, ready=1, available=1, terminating=0)
    steps[777] = Step(t_s=777.0, old=9, new=0, ready=3, available=3, terminating=0)
    chosen = words.sampled(tuple(steps), 14)
    assert {0.0, 123.0, 777.0, 999.0} <= {step.t_s for step in chosen}
    assert 14 >= len(chosen)
