"""Options and fixtures that all tests share."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

pytest_plugins = ["gitops_guard.testing", "controlplane.plugin"]


TESTS = Path(__file__).parent
THOROUGH = frozenset(
    TESTS / name
    for name in (
        "cel/test_oracle.py",
        "check/test_any_text.py",
        "check/test_two_speeds.py",
        "commands/test_bad_input.py",
        "commands/test_cache.py",
        "commands/test_check.py",
        "commands/test_check_rendered.py",
        "commands/test_diff_rendered.py",
        "commands/test_fuzz.py",
        "commands/test_hot_path.py",
        "commands/test_install_hook.py",
        "commands/test_plugins.py",
        "commands/test_policies.py",
        "commands/test_pr.py",
        "commands/test_pr_secrets.py",
        "commands/test_progress.py",
        "commands/test_references.py",
        "commands/test_render.py",
        "commands/test_rendered_references.py",
        "commands/test_simulate_rendered.py",
        "commands/test_waivers.py",
        "config/test_any_text.py",
        "controlplane/test_processes.py",
        "diff/test_any_objects.py",
        "docs/test_reference.py",
        "forge/test_races.py",
        "links/test_outline.py",
        "manifest/test_classify.py",
        "manifest/test_lines.py",
        "policy/test_bad_input.py",
        "policy/test_plain.py",
        "render/test_argocd.py",
        "render/test_flux.py",
        "render/test_kustomize.py",
        "render/test_process.py",
        "render/test_render.py",
        "repo/test_hooks.py",
        "repo/test_mirror.py",
        "repo/test_signatures.py",
        "repo/test_snapshot.py",
        "report/pull/test_comment.py",
        "report/test_any_text.py",
        "schema/test_agreement.py",
        "test_example_plugin.py",
        "test_examples.py",
        "test_examples_checked.py",
        "test_own_rule.py",
        "test_real_pre_commit.py",
    )
)
"""Files whose tests start programs or try hundreds of random inputs: 5 % of the tests, two thirds of the time. A file that is renamed must be
renamed here too."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = sorted(str(path) for path in THOROUGH if not path.exists())
    assert not missing, f"tests/conftest.py names files that do not exist: {missing}"
    for item in items:
        if item.path in THOROUGH:
            item.add_marker(pytest.mark.thorough)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write golden files anew, to be reviewed as a diff")
    parser.addoption("--whole-fault-matrix", action="store_true", help="every answer in every phase of a sync")
    parser.addoption("--kill-points", type=int, default=3, help="how many points a sync is killed at")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kill_point" in metafunc.fixturenames:
        chance = random.Random(20261125)
        number = metafunc.config.getoption("--kill-points")
        metafunc.parametrize("kill_point", sorted(round(chance.uniform(1, 24), 2) for _ in range(number)))


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with `tests/golden/<name>`; `--update-golden` writes it instead."""
    root = Path(__file__).parent / "golden"
    update = request.config.getoption("--update-golden")

    def compare(name: str, actual: str) -> None:
        file = root / name
        if update:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(actual, encoding="utf-8", newline="")
        assert file.exists(), f"{name} is missing; run with --update-golden and review it"
        assert file.read_bytes().decode("utf-8") == actual

    return compare
