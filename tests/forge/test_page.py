"""The full report as a page, in a real browser: it shows, filters, folds, and runs nothing of content."""

import json
import re
from html.parser import HTMLParser

import pytest

from gitops_guard.model.judgement import judge
from gitops_guard.report.pull.html import page
from gitops_guard.report.pull.plan_reader import read_plan

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> @all ' \" onmouseover=x"


def change(name, action="configured", klass="image"):
    field = {
        "op": "changed", "field": f"spec.{HOSTILE}", "path": ["spec"], "old": "web:1", "new": f"web:2{HOSTILE}", "masked": False, "class": klass,
        "document": "",
    }  # fmt: skip
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": {"x": f"{HOSTILE}\nsecond line\n"},
    }
    return {
        "action": action, "resource": {"apiVersion": "v1", "kind": "ConfigMap", "namespace": "shop", "name": name}, "renamed_from": None,
        "path": f"apps/{HOSTILE}.yaml", "line": 1, "moved_from": "", "classes": [klass], "fields": [field] if action == "configured" else [],
        "folded": [], "object": None if action == "configured" else body,
    }  # fmt: skip


def rollout(name):
    steps = [
        {"t_s": float(t), "old": 3 - t // 10, "new": t // 10, "ready": 3, "available": 3 - t // 20, "terminating": 0}
        for t in range(0, 40, 10)
    ]
    times = {"low": 1.0, "likely": 30.0, "high": None}
    return {
        "resource": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": name}, "strategy": "RollingUpdate", "verdict": "degraded",
        "reasons": [HOSTILE], "min_available": 2, "peak_pods": 4, "duration_s": times,
        "trajectories": [{"name": "likely", "complete": True, "steps": steps}], "assumptions": [], "triggers": ["spec.template"], "worst_available": 1,
        "wanted_available": 3, "peak_existing_pods": 4, "extra": {"cpu_milli": 100, "memory_bytes": 0}, "downtime_s": times, "rollback_to": "",
        "model": "kubernetes 1.36", "unit": "", "sync_wave": 0,
    }  # fmt: skip


def unit(name, cluster, *changes, **more):
    return {
        "name": name, "kind": "Flux Kustomization", "cluster": cluster, "source": "rendered", "changes": list(changes), "unchanged": 3, "rollouts": [],
        "hazards": [], "errors": [], "notes": [], **more,
    }  # fmt: skip


@pytest.fixture
def written(tmp_path):
    """Write the page of a plan with two clusters, and return its address."""
    finding = {
        "rule": "unknown-field", "severity": "error", "message": HOSTILE, "resource": None, "field": "", "path": "apps/web.yaml", "line": 3, "column": 1,
        "fingerprint": "f", "hint": HOSTILE, "doc": "", "end_line": 3, "end_column": 2,
    }  # fmt: skip
    units = [
        unit("apps/web", "eu-1", change("a"), change("b", "created", "config"), rollouts=[rollout("web")]),
        unit("apps/web", "us-1", change("c")), unit(HOSTILE, HOSTILE, change("d", "deleted", "storage")),
    ]  # fmt: skip
    plan = read_plan(json.dumps({
        "version": 1, "tool": "1.0", "repository": "acme/shop", "pull": 7, "head": "a" * 40, "base": "b" * 40, "target": "main", "merged": True,
        "fork": False, "run": 1, "shard": None, "duration_s": 1.5, "gate": {"fail_on": "error", "rollout": "downtime", "unseen_passes": False},
        "units": units, "findings": [finding], "known": 0, "silenced": 0, "accepted": [], "errors": [], "known_errors": 0,
        "unseen": [{"path": HOSTILE, "resource": "", "reason": HOSTILE}], "drift": None, "versions": ["1.36"], "notes": [HOSTILE],
    }).encode())  # fmt: skip
    file = tmp_path / "page.html"
    file.write_text(page(plan, judge(plan, plan.gate)), encoding="utf-8")
    return file


def with_script(file, script):
    """Let a script of the test's own run on the page after its own: that of a tester at the keyboard."""
    text = file.read_text()
    text = re.sub(r"script-src 'sha256-[^']+'", "script-src 'unsafe-inline'", text)
    file.write_text(text.replace("</body>", f"<script>{script}</script></body>"))
    return file.as_uri()


class Seen(HTMLParser):
    """What a browser made of the page: its tags with their attributes, and the names of the changes that are shown."""

    def __init__(self, dom):
        super().__init__()
        self.tags, self.shown, self._is_shown = [], [], False
        self.feed(dom)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "details" and dict(attrs).get("class") == "change":
            self._is_shown = "hidden" not in dict(attrs)

    def handle_data(self, data):
        if self._is_shown and (found := re.fullmatch(r"v1 ConfigMap shop/(\w)", data)):
            self.shown.append(found[1])


def visible(dom):
    return Seen(dom).shown


@pytest.mark.controlplane
def test_page_when_opened_then_content_is_shown_and_runs_nothing(written, browser):
    dom = browser.rendered(written.as_uri())
    assert "<title>gitops-guard: stops the merge: 1 blocking" in dom
    tags = Seen(dom).tags
    assert [] == [tag for tag, attributes in tags if tag == "img" or any(name.startswith("on") for name in attributes)]
    assert 1 == [tag for tag, _ in tags].count("script")
    assert ["a", "b", "c", "d"] == visible(dom)
    assert "4 of 4 changes shown" in dom


CHOICES = [
    pytest.param("cluster", "eu-1", ["a", "b"], id="cluster"),
    pytest.param("unit", "apps/web", ["a", "b", "c"], id="unit"),
    pytest.param("class", "config", ["b"], id="class"),
    pytest.param("cluster", HOSTILE, ["d"], id="hostile cluster"),
]


@pytest.mark.controlplane
@pytest.mark.parametrize(("name", "value", "expected"), CHOICES)
def test_page_when_filtered_then_only_that_is_shown(written, browser, name, value, expected):
    chosen = json.dumps(value).replace("</", "<\\/")
    script = f"const s=document.getElementById('f-{name}');s.value={chosen};s.dispatchEvent(new Event('change'));"
    dom = browser.rendered(with_script(written, script))
    assert expected == visible(dom)
    assert f"{len(expected)} of 4 changes shown" in dom


@pytest.mark.controlplane
def test_page_when_used_by_keyboard_then_it_opens_closes_and_moves(written, browser):
    script = (
        "const press=key=>document.dispatchEvent(new KeyboardEvent('keydown',{key,bubbles:true}));press('c');"
        "const closed=document.querySelectorAll('details.unit[open], details.change[open]').length;press('o');"
        "const open=document.querySelectorAll('details.change[open]').length;press('j');press('j');"
        "document.title=[closed,open,document.activeElement.textContent.includes('us-1')].join(' ');"
    )
    assert "<title>0 4 true</title>" in browser.rendered(
        with_script(written, script.replace("document.dispatchEvent", "document.body.dispatchEvent"))
    )


@pytest.mark.controlplane
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_page_when_pictured_then_there_is_something_to_look_at(written, browser, dark):
    assert browser.picture(
        written.as_uri(), f"page-{'dark' if dark else 'light'}.png", size="1100,1900", dark=dark
    ).exists()


def test_page_when_written_then_it_asks_for_nothing_from_elsewhere(written):
    text = written.read_text()
    assert [] == re.findall(r"<(?:link|iframe|object|embed|img|base|form)\b|src=\"|url\(|@import", text)
    assert "default-src 'none'" in text
