"""The comment: its sections, its budget, and what content can not do to it."""

import random
import re
from dataclasses import replace
from functools import lru_cache

import pytest
from markdown_it import MarkdownIt

from gitops_guard.model import CheckError, Severity, Skipped
from gitops_guard.model.judgement import Outcome, judge
from gitops_guard.model.pull import Accepted, Gate, RolloutGate, UnitChanges
from gitops_guard.model.rollout import RolloutVerdict
from gitops_guard.model.unit import Unit, UnitKind
from gitops_guard.report.pull.budget import Budget, size_of
from gitops_guard.report.pull.comment import comment, full_report
from gitops_guard.report.pull.escape import Links
from gitops_guard.report.pull.words import status, verdict

GFM = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(["table", "strikethrough"])
OURS = re.compile(r"</?details>|<details open>|</?summary>|<br>|</?sub>|<code>[^<>]*</code>|[^<>]*")


@lru_cache(maxsize=1)
def parsed(text):
    return GFM.parse(text)


def structure(text):
    """Return the tags of our own, the headings, and whatever is live; fails on HTML that is not ours."""
    tags, live = [], []
    for token in parsed(text):
        if token.type == "html_block":
            assert not (rest := OURS.sub("", token.content)), rest
            tags += re.findall(r"</?(?:details|summary)", token.content)
        for child in token.children or []:
            if child.type == "html_inline":
                assert child.content in ("<br>", "<sub>", "</sub>"), child.content
            elif child.type in ("image", "link_open"):
                live.append((child.type, child.attrs.get("href") or child.attrs.get("src")))
            elif child.type == "text":
                assert not re.search(r"@\w|#\d|://|www\.", child.content), child.content
    return tags, live


def headings(text):
    tokens = parsed(text)
    return [inline.content for opened, inline in zip(tokens, tokens[1:], strict=False) if opened.type == "heading_open"]


def balanced(tags):
    opened = tags.count("<details")
    return opened == tags.count("</details") == tags.count("<summary") == tags.count("</summary")


def test_comment_when_nothing_changes_then_it_is_one_line(plans, told):
    assert "✅ gitops-guard: nothing stops the merge: no object changes\n" == told(plans.plan())


def test_comment_when_things_change_then_the_sections_come_in_order(plans, told):
    text = told(plans.ordinary())
    marks = [
        "### ⛔ gitops-guard: stops the merge: 1 blocking", "#### Stops the merge", "#### Watch out", "| app |",
        "| image, chart |", "<details><summary><code>apps/old</code>", "Rollouts, simulated", "Deleted from Git",
        "Folded and accepted", "against",
    ]  # fmt: skip
    places = [text.index(mark) for mark in marks]
    assert sorted(places) == places


def test_comment_when_two_clusters_get_the_same_then_they_share_a_column_and_a_block(plans, told):
    first = plans.app("apps/web", "eu-1")
    text = told(plans.plan(units=(first, plans.app("apps/web", "us-1"), plans.app("apps/web", "ap", image="web:3"))))
    assert "| app | `ap` | `eu-1`, `us-1` |" in text.replace(
        "| app | `ap`, `eu-1`, `us-1` |", "| app | `ap` | `eu-1`, `us-1` |"
    )
    assert "on <code>eu-1</code>, <code>us-1</code>" in text


def test_comment_when_each_cluster_declares_the_unit_in_a_file_of_its_own_then_they_share_a_block_all_the_same(
    plans, told
):
    def on(cluster):
        unit = Unit(
            kind=UnitKind.FLUX_KUSTOMIZATION, name="apps/web", path="apps/web",
            declared_in=f"clusters/{cluster}/web.yaml", declared_line=1, clusters=(cluster,),
        )  # fmt: skip
        first = plans.app("apps/web", cluster, rollouts=(plans.rollout(),))
        gone = plans.changes([plans.deployment("old", "web:1")], [])
        return replace(first, changes=tuple(replace(one, unit=unit) for one in (*first.changes, *gone)))

    text = told(plans.plan(units=tuple(on(f"c{number}") for number in range(7))))

    clusters = "`c0`, `c1`, `c2`, `c3`, `c4` and 2 more"
    assert 1 == text.count("<summary><code>apps/web</code> on <code>c0</code>")
    assert f"**ok** `apps/v1 Deployment shop/web` on {clusters}" in text
    assert f"- `apps/v1 Deployment shop/old` of `apps/web` on {clusters}" in text
    assert (1, 1) == (text.count("**ok**"), text.count("- `apps/v1 Deployment shop/old` of"))
    assert ("7 ok" in text, "pruned where pruning is on: 7 objects" in text, "| no | 7 |" in text) == (True, True, True)


@pytest.mark.parametrize(("kind", "sign"), [("PersistentVolumeClaim", "⚠️"), ("ConfigMap", "✅")])
def test_comment_when_an_app_deletes_what_holds_data_then_its_cell_says_so(plans, told, kind, sign):
    body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "data", "namespace": "shop"}}

    text = told(plans.plan(units=(UnitChanges(name="apps/db", cluster="eu", changes=plans.changes([body], [])),)))

    assert f"| `apps/db` | +0 ~0 -1 · {sign} |" in text


def test_comment_when_equal_but_for_the_time_it_took_then_its_digest_is_the_same(plans):
    plan = plans.ordinary()
    from dataclasses import replace

    slow = replace(plan, duration_s=99.0)
    one, other = (comment(each, judge(each, each.gate)) for each in (plan, slow))
    assert one[0].digest == other[0].digest
    assert one[0].text != other[0].text


def test_comment_when_somebody_accepted_findings_then_it_says_who_why_and_until_when(plans, told):
    line = "- accepted 2 of `latest-*`: `vendored`, by `team-a`, until `2027-01-31` `waivers/v.yaml:3`"
    assert line in told(plans.ordinary())


def test_comment_when_a_fork_worked_it_out_then_it_says_so(plans, told):
    unit = plans.app("apps/web")
    assert "fork's own job" in told(plans.plan(units=(unit,), is_fork=True))


OUTCOMES = [
    pytest.param({}, Gate(), Outcome.PASSED, 0, id="nothing"),
    pytest.param({"findings": None}, Gate(), Outcome.UNCHECKED, 2, id="not checked"),
    pytest.param({"errors": (CheckError(path="a", line=1, column=1, message="x"),)}, Gate(), Outcome.UNCHECKED, 2, id="error"),
    pytest.param({"unseen": (Skipped(path="a", resource="", reason="x"),)}, Gate(), Outcome.UNSEEN, 2, id="not previewed"),
    pytest.param({"unseen": (Skipped(path="a", resource="", reason="x"),)}, Gate(unseen_passes=True), Outcome.PASSED, 0, id="allowed"),
    pytest.param({"units": (UnitChanges(name="a", rollouts=None),)}, Gate(), Outcome.UNCHECKED, 2, id="not simulated"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "gate", "outcome", "code"), OUTCOMES)
def test_verdict_when_judged_then_nothing_that_was_not_looked_at_passes(plans, what, gate, outcome, code):
    judged = judge(plans.plan(**what), gate)
    assert (outcome, code) == (judged.outcome, judged.exit_code)


def test_verdict_when_a_rollout_goes_wrong_then_the_gate_decides(plans):
    plan = plans.plan(units=(plans.app("a", rollouts=(plans.rollout(verdict=RolloutVerdict.DEGRADED),)),))
    outcomes = [judge(plan, Gate(rollout=gate)).outcome for gate in RolloutGate]
    assert [Outcome.PASSED, Outcome.PASSED, Outcome.BLOCKED] == outcomes


def test_gate_when_two_meet_then_the_stricter_one_holds():
    one = Gate(fail_on=Severity.NOTE, rollout=RolloutGate.STUCK, unseen_passes=True)
    other = Gate(fail_on=Severity.ERROR, rollout=RolloutGate.DEGRADED, unseen_passes=False)
    assert Gate(fail_on=Severity.NOTE, rollout=RolloutGate.DEGRADED, unseen_passes=False) == one.stricter(other)


@pytest.mark.parametrize("longest", [40, 80, 140, 255])
def test_status_when_short_then_whole_parts_are_left_out(plans, longest):
    plan = plans.ordinary()
    said = status(plan, judge(plan, plan.gate), longest=longest)
    assert len(said) <= longest
    assert verdict(plan, judge(plan, plan.gate)).startswith(said)


# The budget


def many(plans, apps, fields=3):
    units = tuple(
        plans.app(f"apps/app-{number:03}", cluster, image=f"web:{number % 3 + 2}" + "x" * (number * fields % 300))
        for number in range(apps)
        for cluster in ("eu", "us")
    )
    found = tuple(plans.finding(f"rule-{number}", fingerprint=str(number), message="m" * 900) for number in range(30))
    return plans.plan(units=units, findings=found)


@pytest.mark.parametrize("characters", [1_500, 4_000, 10_000, 30_000, 65_000, 900_000])
def test_comment_when_it_must_be_short_then_it_fits_and_keeps_what_stops_the_merge(plans, characters):
    plan = many(plans, 120)
    parts = comment(plan, judge(plan, plan.gate), budget=Budget(characters, characters))
    text = parts[0].text
    assert size_of(text).characters <= characters
    assert size_of(text).octets <= characters
    assert text.startswith("### ⛔ gitops-guard: stops the merge: 30 blocking")
    assert [] == [f"rule-{number}" for number in range(5) if f"`rule-{number}`" not in text and number < 2]
    tags, _ = structure(text)
    assert balanced(tags)


def test_comment_when_apps_are_left_out_then_shown_and_counted_are_all(plans):
    plan = many(plans, 120)
    text = comment(plan, judge(plan, plan.gate), budget=Budget(30_000, 30_000))[0].text
    shown = text.count("<details><summary><code>apps/app-")
    counted = re.search(r"(\d+) of (\d+) apps shown; (\d+) changes of the others", text)
    assert (shown, 120) == (int(counted[1]), int(counted[2]))
    assert 120 - shown == int(counted[3])


def test_comment_when_several_are_allowed_then_each_is_valid_and_none_tells_an_app_twice(plans):
    plan = many(plans, 120)
    parts = comment(plan, judge(plan, plan.gate), budget=Budget(30_000, 30_000), parts=3)
    assert 3 == len(parts)
    names = [name for part in parts for name in re.findall(r"<details><summary><code>(apps/app-\d+)", part.text)]
    assert len(names) == len(set(names)) > 60
    assert all(balanced(structure(part.text)[0]) and size_of(part.text).characters <= 30_000 for part in parts)


def test_report_when_full_then_every_app_is_in_it(plans):
    plan = many(plans, 120)
    text = full_report(plan, judge(plan, plan.gate))
    assert 120 == text.count("<details><summary><code>apps/app-")


def test_comment_when_made_again_then_it_is_the_same_whatever_the_order_of_units(plans, told):
    plan = many(plans, 30)
    from dataclasses import replace

    shuffled = list(plan.units)
    random.Random(1).shuffle(shuffled)
    assert told(plan) == told(replace(plan, units=tuple(sorted(shuffled, key=lambda unit: (unit.cluster, unit.name)))))


def test_links_when_the_forge_has_pages_then_they_lead_there_and_nowhere_else(plans, told):
    text = told(plans.ordinary(), links=Links(file="https://git.example/acme/shop/blob/x/{path}#L{line}"))
    _, live = structure(text)
    assert [("link_open", "https://git.example/acme/shop/blob/x/apps/web.yaml#L7")] * 2 == live[:2]
    assert {href.split("/")[2] for _, href in live} == {"git.example"}
    assert "### ⛔ gitops-guard: stops the merge" in text
    assert headings(text)[0].startswith("⛔ gitops-guard")


HOSTILE = [
    "```", "````", "`", "``x", "```\n# passed", "</details>", "</summary>", "<img src=x onerror=alert(1)>", "<!-- gitops-guard:v1 -->",
    "-->", "@all", "@root/team", "#1", "!1", "![i](http://e/x.png)", "[l](javascript:alert(1))", "http://evil.example", "https://evil.example/@x",
    "www.evil.example", "a@evil.example", "|", "\\|", "\\", "\\`", "| a | b |\n|---|---|", "\n\n### ✅ gitops-guard: passed", "\r\n/merge", "/close",
    "\u202e", "\u2028", "\x00", "\x1b[31m", "&lt;b&gt;", "&#x3c;script&#x3e;", "~~x~~", "$`x`$", "$$x$$", ":tada:", "{{ x }}", "{% x %}", "::error::x",
    "##[group]x", "<details open>", "<summary>", "<script>alert(1)</script>", "]]>", "<![CDATA[", "<?php", "<a href=http://e>", "\ud800", "💥" * 20,
    "    indented", "> quote", "- [ ] task", "1. x", "---", "===", "[^1]: note", "[x]: http://e", "<http://e>", "<a@b.example>", "\t", " ", "",
]  # fmt: skip
"""Words of attackers; tests put them together at random."""


def evil(source):
    return "".join(source.choice(HOSTILE) for _ in range(source.randint(1, 4)))


def hostile_plan(plans, seed, objects):
    source = random.Random(seed)

    def body(text):
        return {
            "apiVersion": source.choice(("v1", evil(source))), "kind": source.choice(("ConfigMap", "Deployment", evil(source))),
            "metadata": {"name": text or "x", "namespace": evil(source), "annotations": {evil(source): evil(source)}},
            "data": {evil(source): evil(source), "app.yaml": f"a: {evil(source)}\nb: {evil(source)}\n"},
        }  # fmt: skip

    olds = [body(f"n{number}{evil(source)}") for number in range(objects)]
    news = [old | {"data": {**old["data"], evil(source): evil(source)}} for old in olds[: objects // 2]] + [
        body(f"m{number}{evil(source)}") for number in range(objects // 2)
    ]
    found = tuple(
        plans.finding(
            evil(source) or "r", message=evil(source), field=evil(source), hint=evil(source), fingerprint=str(number)
        )
        for number in range(6)
    )
    unit = UnitChanges(
        name=evil(source), cluster=evil(source), kind=evil(source), changes=plans.changes(olds, news), notes=(evil(source),),
        errors=(CheckError(path=evil(source), line=1, column=1, message=evil(source)),), rollouts=(plans.rollout(evil(source)),),
    )  # fmt: skip
    return plans.plan(
        units=(unit,), findings=found, target=evil(source), notes=(evil(source),),
        accepted=(Accepted(rules=(evil(source),), reason=evil(source), owner=evil(source), expires=evil(source), path=evil(source)),), versions=(evil(source),), tool=evil(source),
        unseen=(Skipped(path=evil(source), resource=evil(source), reason=evil(source)),),
    )  # fmt: skip


def check_hostile(plans, seed, objects):
    plan = hostile_plan(plans, seed, objects)
    text = full_report(plan, judge(plan, plan.gate))
    tags, live = structure(text)
    assert balanced(tags)
    assert [] == live
    assert ["Stops the merge", "Watch out", "Not previewed"] == headings(text)[1:]
    assert headings(text)[0].startswith("⛔ gitops-guard: stops the merge: 6 blocking")
    text.encode("utf-8")


@pytest.mark.parametrize("seed", range(12))
def test_comment_when_content_is_hostile_then_nothing_of_it_is_live(plans, seed):
    check_hostile(plans, seed, 20)


@pytest.mark.thorough
def test_comment_when_ten_thousand_manifests_are_hostile_then_nothing_of_them_is_live(plans):
    for seed in range(100, 200):
        check_hostile(plans, seed, 100)


def test_comment_when_one_place_is_deployed_many_times_then_its_warning_is_told_once(plans, told):
    warning = plans.finding("single-replica-downtime", Severity.WARNING)
    others = [replace(warning, fingerprint=f"fp-{number}") for number in range(3)]

    text = told(plans.plan(findings=(*others, plans.finding("other", Severity.WARNING))))

    assert 1 == text.count("`single-replica-downtime`")
    assert "(3 times)" in text
