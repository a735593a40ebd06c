"""Draw the pictures of docs/how-to/simulate.md from real predictions: `python tools/rollout_pictures.py`.

A test keeps the files current, so nothing here is drawn by hand.
"""

from pathlib import Path

import yaml

from gitops_guard.report.simulation.chart import chart
from gitops_guard.rollout.simulate import simulate

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "tests" / "rollout" / "corpus"
PICTURES = {
    "rolling-update": "look-alikes/replicas-raised-with-new-image",
    "recreate": "hurts/recreate",
    "statefulset": "look-alikes/statefulset-healthy-version",
    "stuck": "hurts/readiness-gate-unserved",
    "canary": "look-alikes/argo-canary",
}
"""Case of the corpus by the picture's name."""


def draw(case: str) -> str:
    """Return the picture of the first workload of a case."""
    before, after = (
        next(yaml.safe_load_all((CORPUS / case / f"{side}.yaml").read_text())) for side in ("before", "after")
    )
    return chart(simulate(before, after), "chart")


def path_of(name: str) -> Path:
    """Return where a picture lies."""
    return ROOT / "docs" / "images" / f"simulate-{name}.svg"


if __name__ == "__main__":
    for picture, source in PICTURES.items():
        path_of(picture).write_text(draw(source), encoding="utf-8")
