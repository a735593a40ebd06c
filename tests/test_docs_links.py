"""Links between our own pages lead somewhere, and every decision has the same form."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").rglob("*.md"),
        ROOT / "changelog.d" / "README.md",
    ]
)
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
HEADINGS = ["Context", "Goals / Non-goals", "Decision", "Alternatives", "Consequences"]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def targets(path: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"(?<!!)\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    return [link for link in links if not re.match(r"[a-z]+:", link)]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_page_when_it_links_to_a_file_then_the_file_exists(page):
    assert [link for link in targets(page) if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", DECISIONS, ids=name)
def test_decision_when_read_then_it_has_number_status_and_headings(page):
    text = page.read_text(encoding="utf-8")
    assert re.match(rf"# {page.name[:4]} \S.*\n\n\*\*Status\*\*: \S", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS


def test_decisions_when_listed_then_their_numbers_have_no_gap():
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
