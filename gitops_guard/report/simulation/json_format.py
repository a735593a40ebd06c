"""The json format: the contract for programs, `"version": 1`; its JSON Schema is `simulate.schema.json` beside this.

Keys come in a fixed order and text is ASCII, so that equal simulations are equal bytes whatever the locale.
"""

import json
from typing import Any, TextIO

from gitops_guard.model.simulation import Simulation
from gitops_guard.report import FormatOptions
from gitops_guard.report.json_report import error_object, finding_object


def write(simulation: Simulation, out: TextIO, _options: FormatOptions) -> None:
    """Write the simulate object."""
    json.dump(simulate_object(simulation), out, indent=2)
    out.write("\n")


def simulate_object(simulation: Simulation) -> dict[str, Any]:
    """Return the simulation as the contract's object."""
    return {
        "version": 1,
        "rollouts": [rollout.to_json() for rollout in simulation.rollouts],
        "hazards": [finding_object(hazard) for hazard in simulation.hazards],
        "errors": [error_object(error) for error in simulation.errors],
        "unchanged": simulation.unchanged,
        "silenced": simulation.silenced,
    }
