"""`gitops-guard init`: a commented `.gitops-guard.yaml` for the repository at hand."""

import json
import os
import sys
from collections.abc import Iterator, Sequence

from gitops_guard.commands.detection import Detected, detect
from gitops_guard.commands.whole_file import write_whole
from gitops_guard.config import DEFAULT_PATH, load
from gitops_guard.errors import ConfigError, UsageError
from gitops_guard.repo.repository import Repo, open_tree
from gitops_guard.schema.bundle import versions

_FEW = 3


def run(directory: str, *, force: bool, only_print: bool) -> int:
    """Detect what the repository holds and write its configuration.

    Args:
        directory: In the repository; outside of Git the directory itself is looked at.
        force: Overwrite a configuration that is there.
        only_print: Write to standard output instead.

    Raises:
        UsageError: There is a configuration already.
        RepoError: There is no work tree, or it cannot be read.
        ConfigError: The file cannot be written.
    """
    repo = Repo.discover(directory)
    path = os.path.join(repo.root if repo is not None else os.path.abspath(directory), DEFAULT_PATH)
    if os.path.lexists(path) and not (force or only_print):
        raise UsageError(f"{path} is there already; --force overwrites it, --print shows what would be written")
    detected = detect(open_tree(directory))
    text = configuration(detected)
    load(text, DEFAULT_PATH)  # what is written is read back first
    told = sys.stderr if only_print else sys.stdout
    told.writelines(f"{line}\n" for line in _told(detected))
    if only_print:
        sys.stdout.write(text)
        return 0
    try:
        write_whole(path, text.encode(), overwrite=force)
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", path=path) from error
    sys.stdout.write(f"wrote {path}\n")
    return 0


def _told(detected: Detected) -> Iterator[str]:
    """Say what was detected, a line each."""
    rows: list[tuple[str, Sequence[str]]] = [
        ("kustomizations", detected.kustomizations),
        ("Helm charts", detected.charts),
        ("Flux resources", detected.flux),
        ("Argo CD applications", detected.argo),
        ("CustomResourceDefinitions", detected.crds),
        ("schema directories", detected.schemas),
        ("vendored files", detected.vendored),
        ("generated files", detected.generated),
    ]
    found = [f"detected {what}: {_some(places)}" for what, places in rows if places]
    yield from found or ["detected nothing in particular"]


def _some(places: Sequence[str]) -> str:
    shown = ", ".join(places[:_FEW])
    return f"{shown} and {len(places) - _FEW} more" if len(places) > _FEW else shown


def configuration(detected: Detected) -> str:
    """Return a configuration file's text; every line that decides something says why it is there.

    The text does not name the tool: a file that does may hold suppressions, and is read anew in each run.
    """
    return "\n".join(line for block in _blocks(detected) for line in (*block, "")).rstrip("\n") + "\n"


def _blocks(detected: Detected) -> Iterator[list[str]]:
    two = ", ".join(json.dumps(version) for version in versions()[-2:])
    yield ["# What is checked in this repository, and how. Every key is optional."]
    yield [
        "# Minor versions of Kubernetes that your clusters run, in quotes. Without this line: the newest one known.",
        "# Add the next one before you upgrade, and APIs that it no longer serves are found in time.",
        f"# kubernetes-versions: [{two}]",
    ]
    yield _exclude(detected)
    if detected.schemas:
        yield [
            "# JSON schemas of custom resources, laid out as kubeconform reads them.",
            "schemas:",
            *(f"  - {json.dumps(template)}" for template in detected.schemas),
        ]
    yield _custom_resources(detected)
    if rendered := _rendered(detected):
        yield rendered
    yield [
        "# Policies. Those that the field agrees on are applied without this line; [] switches them off, and your own",
        "# directory is named beside them.",
        '# policies: ["pack:*", "policies"]',
    ]
    yield [
        "# The least severity that fails a run: error, warning or note.",
        "fail-on: error",
    ]


def _exclude(detected: Detected) -> list[str]:
    lines = ["# Files to leave out, written as in .gitignore."]
    if detected.vendored:
        lines += ["# These are other people's:", "exclude:"]
        lines += [f"  - {json.dumps(f'/{folder}/')}" for folder in detected.vendored]
    else:
        lines += ['# exclude: ["/vendor/"]']
    if detected.generated:
        lines += ["# These are generated; leave them out only if they are never applied as they are:"]
        lines += [f"#   {json.dumps(f'/{folder}/')}" for folder in detected.generated]
    return lines


def _custom_resources(detected: Detected) -> list[str]:
    lines = ["# A kind without a schema is counted as skipped; `error` makes it a finding."]
    if detected.crds:
        lines += [f"# The CustomResourceDefinitions of this repository are used as they are ({_shown(detected.crds)})."]
    elif detected.flux or detected.argo:
        tools = " and ".join(name for name, found in (("Flux", detected.flux), ("Argo CD", detected.argo)) if found)
        lines += [f"# {tools} resources need their CustomResourceDefinitions in this repository to be checked."]
    return [*lines, "# missing-schema: error"]


def _rendered(detected: Detected) -> list[str]:
    lines: list[str] = []
    if detected.charts:
        lines += [
            f"# Helm templates are counted as skipped ({_shown(detected.charts)}). To check what a chart renders to,",
            "# pipe it: helm template CHART | ... check -",
        ]
    if detected.kustomizations:
        lines += [
            "# Kustomizations are not rendered: their resources and patches are checked file by file. To check the",
            "# result of one, pipe it: kubectl kustomize DIRECTORY | ... check -",
        ]
    return lines


def _shown(places: Sequence[str]) -> str:
    """Return some places for a comment, without what could end it."""
    return _some([place.encode("ascii", "backslashreplace").decode().replace("\n", "\\n") for place in places])
