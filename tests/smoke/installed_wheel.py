"""Try the installed wheel, away from the checkout: the command runs, the schemas' index and the policies are there."""

import importlib.resources
import subprocess
import sys
import tempfile
from pathlib import Path

GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  key: value\n"
HOST_NETWORK = (
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  hostNetwork: true\n  containers: [{name: a, image: a}]\n"
)
BAD = GOOD.replace("data:", "dat:")


def run(directory: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the installed command."""
    program = Path(sys.executable).parent / "gitops-guard"
    return subprocess.run([str(program), *arguments], cwd=directory, capture_output=True, text=True, check=False)


def main() -> None:
    """Fail loudly on the first thing that is missing."""
    package = importlib.resources.files("gitops_guard")
    assert "site-packages" in str(package), f"not the installed package: {package}"
    for name in (
        "_policies",
        "config.schema.json",
        "waiver.schema.json",
        "schema/data/lifecycle.json",
        "policy/packs.json",
        "policy/test.schema.json",
        "report/check.schema.json",
        "report/simulation/simulate.schema.json",
        "rules/unknown-field.md",
    ):
        assert package.joinpath(name).is_file() or package.joinpath(name).is_dir(), f"{name} is missing from the wheel"
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        (directory / "good.yaml").write_text(GOOD)
        clean = run(directory, "check")
        assert clean.returncode == 0, clean
        assert "validated: 1 of 1 resource in 1 file" in clean.stdout, clean
        (directory / "bad.yaml").write_text(BAD)
        found = run(directory, "check")
        assert found.returncode == 1, found
        assert "bad.yaml:5:1: error unknown-field" in found.stdout, found
        (directory / "good.yaml").write_text(HOST_NETWORK)
        found = run(directory, "check", "good.yaml")
        assert "good.yaml:5:16: error host-network" in found.stdout, found
    version = run(Path("/"), "--version")
    assert version.stdout.startswith("gitops-guard "), version
    print("1 passed, 0 failed")


if __name__ == "__main__":
    main()
