"""Tree to units to objects: what will really be deployed, rendered by the controllers' own tools.

    files -> discover (kustomizations, charts, Flux, Argo CD) -> jobs -> carry_out (copy, run, substitute) -> units

Nothing runs in the work tree and nothing reaches the network unless allowed. A unit that cannot be rendered is an error
of that unit; the others go on.
"""

from collections.abc import Callable

from gitops_guard.model.unit import Rendering, Unit
from gitops_guard.render.options import Options
from gitops_guard.render.process import Limits
from gitops_guard.render.tools import Tools, find_tools
from gitops_guard.render.units import Units
from gitops_guard.repo.tree import Tree

__all__ = ["Limits", "Options", "Tools", "Units", "find_tools", "render", "units"]


def render(tree: Tree, options: Options, wanted: Callable[[Unit], bool] = lambda _: True) -> Rendering:
    """Render the units of a tree.

    Args:
        tree: What is rendered.
        options: How.
        wanted: Which of its units; units that declare others are rendered anyhow.

    Returns:
        The wanted units, sorted; the same whatever the number of workers.
    """
    found = Units(tree, options)
    return Rendering(units=found.render([unit for unit in found.all if wanted(unit)]))


def units(tree: Tree, options: Options) -> tuple[Unit, ...]:
    """Return the units of a tree, sorted; only what declares others is rendered.

    A directory is listed also where its files turn out to hold no objects once they are read.
    """
    return Units(tree, options).all
