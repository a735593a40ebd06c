"""Options and fixtures that all tests share."""

from collections.abc import Callable
from pathlib import Path

import pytest

pytest_plugins = ["gitops_guard.testing", "controlplane.plugin"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write golden files anew, to be reviewed as a diff")


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
