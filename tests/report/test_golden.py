from collections.abc import Callable

import pytest

from gitops_guard.model import Report
from gitops_guard.report import FORMATS

VARIANTS = [
    *(pytest.param(name, name, {}, id=name) for name in FORMATS),
    pytest.param("text", "text-verbose", {"verbose": True}, id="text-verbose"),
    pytest.param("text", "text-terminal", {"terminal": True}, id="text-terminal"),
    pytest.param("text", "text-colour", {"terminal": True, "colour": True}, id="text-colour"),
]


@pytest.mark.parametrize(("name", "folder", "options"), VARIANTS)
@pytest.mark.parametrize("kind", ["ordinary", "clean", "hostile"])
def test_format_when_written_then_is_as_reviewed(
    name: str,
    folder: str,
    options: dict[str, bool],
    kind: str,
    reports: dict[str, Report],
    written: Callable[..., str],
    golden: Callable[[str, str], None],
) -> None:
    golden(f"{folder}/{kind}.txt", written(name, reports[kind], **options))


@pytest.mark.parametrize("name", list(FORMATS))
@pytest.mark.parametrize("kind", ["ordinary", "clean", "hostile"])
def test_format_when_written_then_any_utf8_stream_can_hold_it(
    name: str, kind: str, reports: dict[str, Report], written: Callable[..., str]
) -> None:
    text = written(name, reports[kind])
    assert text.encode("utf-8")
    assert "hunter2" not in text
    assert not set(text) & {"\x1b", "\r", "\u202e"}
