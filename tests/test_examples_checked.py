"""check over examples/shop says exactly what the files themselves say it should: no finding less, none more."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHOP = ROOT / "examples" / "shop"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Run the tool as a user does, in a process of its own and with an empty cache."""
    cache = str(tmp_path_factory.mktemp("cache"))
    # Which tools a machine has must not decide, and what is rendered has tests of its own.
    command = [sys.executable, "-m", "gitops_guard", "check", "--no-render", "--format", "json", "--cache-dir", cache]
    done = subprocess.run(
        [*command, "--config", SHOP / ".gitops-guard.yaml", "examples/shop"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "GITOPS_GUARD_DISABLE_PLUGINS": "1"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, "")
    return json.loads(done.stdout)


def marked() -> list[tuple[str, int, str]]:
    """Return (path, line, rule) of every mark in the files of `broken/`."""
    found = []
    for path in (SHOP / "broken").glob("*.yaml"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            mark = re.search(r"# finding(-below)?: ([a-z-]+(?:, [a-z-]+)*)$", line)
            rules = mark[2].split(", ") if mark else []
            place = number + 1 if mark and mark[1] else number
            found += [(path.relative_to(ROOT).as_posix(), place, rule) for rule in rules]
    return sorted(found)


def test_check_when_run_over_the_shop_then_it_finds_what_is_marked_and_nothing_else(report):
    found = [(entry["path"], entry["line"], entry["rule"]) for entry in [*report["findings"], *report["errors"]]]
    assert sorted(found) == marked()


def test_check_when_run_over_the_shop_then_only_flux_and_argo_cd_objects_and_what_is_not_served_lack_a_schema(report):
    skipped = {entry["path"] for entry in report["coverage"]["skipped"] if entry["reason"] == "no schema"}
    not_served = {found["path"] for found in report["findings"] if found["rule"] in ("removed-api", "unknown-kind")}
    assert len(not_served) == 4
    assert not_served <= skipped
    assert {path.split("/")[2] for path in skipped - not_served} == {"clusters"}


def test_check_when_run_over_the_shop_then_every_other_resource_is_validated(report):
    coverage = report["coverage"]
    without_schema = [entry for entry in coverage["skipped"] if entry["reason"] == "no schema"]
    assert coverage["validated"] + len(without_schema) == coverage["resources"]
    assert coverage["versions"] == ["1.36", "1.37"]


def test_check_when_a_finding_is_suppressed_then_it_is_counted(report):
    assert report["suppressed"] == 2  # one in broken/, and the database


def test_check_when_a_secret_is_wrong_then_its_value_is_nowhere(report):
    assert "not-a-real-key" not in json.dumps(report)
