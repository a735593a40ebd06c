"""The pictures and the output in docs/how-to/simulate.md are what the program says today."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "how-to" / "simulate.md"
CASE = ROOT / "tests" / "rollout" / "corpus" / "hurts" / "recreate"


def load():
    spec = importlib.util.spec_from_file_location("rollout_pictures", ROOT / "tools" / "rollout_pictures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PICTURES = load()


@pytest.mark.parametrize("name", sorted(PICTURES.PICTURES))
def test_picture_when_drawn_anew_then_it_is_the_one_in_the_docs(name):
    assert PICTURES.draw(PICTURES.PICTURES[name]) == PICTURES.path_of(name).read_text(encoding="utf-8")


def test_page_when_read_then_it_shows_every_picture():
    text = PAGE.read_text(encoding="utf-8")
    assert [] == [name for name in PICTURES.PICTURES if f"../images/simulate-{name}.svg" not in text]


def test_page_when_read_then_its_output_is_what_the_program_prints(repo):
    sides = {f"{side}.yaml": (CASE / f"{side}.yaml").read_text(encoding="utf-8") for side in ("before", "after")}
    outcome = repo(sides).run("simulate", "before.yaml", "after.yaml")
    outcome.assert_code(1)
    assert f"```\n{outcome.out}```\n" in PAGE.read_text(encoding="utf-8")
