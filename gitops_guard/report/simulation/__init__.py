"""Formats of `simulate`, one file each. A format knows `model.Simulation` and nothing else.

`SIMULATION_FORMATS` is the registry and the choices of `--format` at once; a module is imported when it is written.
"""

from collections.abc import Callable
from importlib import import_module
from typing import TextIO, TypeAlias

from gitops_guard.model.simulation import Simulation
from gitops_guard.report import FormatOptions

SimulationFormatter: TypeAlias = Callable[[Simulation, TextIO, FormatOptions], None]
"""Writes a simulation; the stream stays open."""


def _lazy(module: str) -> SimulationFormatter:
    def write(simulation: Simulation, out: TextIO, options: FormatOptions) -> None:
        formatter: SimulationFormatter = import_module(f"{__name__}.{module}").write
        formatter(simulation, out, options)

    return write


SIMULATION_FORMATS: dict[str, SimulationFormatter] = {
    "text": _lazy("text"),
    "json": _lazy("json_format"),
    "markdown": _lazy("markdown"),
    "html": _lazy("html"),
}
"""Formatter by the name that `simulate --format` takes."""
