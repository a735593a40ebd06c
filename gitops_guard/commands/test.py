"""`gitops-guard test`: do policies say what their examples want?"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gitops_guard.config import DEFAULT_PATH, load
from gitops_guard.config.kubernetes_version import read_version
from gitops_guard.errors import UsageError
from gitops_guard.policy.packs import PREFIX, files_below, pack_path
from gitops_guard.policy.suite import SuiteResult, folders_of, run_suite, with_marks
from gitops_guard.policy.suite_formats import FORMATS, cases_of, errors_of
from gitops_guard.report.visible import visible
from gitops_guard.schema.bundle import versions

DEFAULT_FOLDER = "policies"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRequest:
    """The command line of `test`."""

    paths: tuple[str, ...] = ()
    """Folders, or `pack:NAME`; empty for those of the configuration, or `policies`."""

    output_format: str = "text"
    kubernetes_versions: tuple[str, ...] = ()
    write_marks: bool = False


def run(request: TestRequest) -> int:
    """Run all policy folders below the paths and write what came out to standard output.

    Returns:
        0 when all is as expected, 1 when a case failed, 2 when a policy or an example cannot be used.

    Raises:
        UsageError: There is nothing to test.
    """
    targets = _versions(request.kubernetes_versions)
    results: list[SuiteResult] = []
    for path in request.paths or _default_paths():
        folder = pack_path(path.removeprefix(PREFIX)) if path.startswith(PREFIX) else path
        found = run_below(folder, path.rstrip("/"), targets, write_marks=request.write_marks)
        if not found:
            raise UsageError(f"{path}: no policy folder there: one with a policy.yaml, pass/ and fail/")
        results.extend(found)
    # JSON escapes by itself; elsewhere no example and no message may steer a terminal or break the XML.
    shown = results if request.output_format == "json" else [_visible(result) for result in results]
    FORMATS[request.output_format](shown, sys.stdout)
    if errors_of(results):
        return 2
    return 0 if all(case.ok for case in cases_of(results)) else 1


def _visible(result: SuiteResult) -> SuiteResult:
    """Return a result whose texts are harmless to look at."""
    return replace(
        result,
        folder=visible(result.folder),
        cases=tuple(
            replace(
                case,
                suite=visible(case.suite),
                case=visible(case.case),
                policy=visible(case.policy),
                resource=visible(case.resource),
                message=visible(case.message),
            )
            for case in result.cases
        ),
        errors=tuple(
            replace(error, path=visible(error.path), message=visible(error.message)) for error in result.errors
        ),
    )


def _default_paths() -> Sequence[str]:
    """Return the directories that the configuration names, else the one that is named by custom."""
    named: tuple[str, ...] = ()
    if os.path.isfile(DEFAULT_PATH):
        with open(DEFAULT_PATH, encoding="utf-8") as file:
            named = load(file.read(), DEFAULT_PATH).policies or ()
    folders = [name for name in named if os.path.isdir(name)]
    if folders:
        return folders
    if os.path.isdir(DEFAULT_FOLDER):
        return [DEFAULT_FOLDER]
    raise UsageError(f"there is no folder {DEFAULT_FOLDER}; name the folders with policies")


def _versions(asked: Sequence[str]) -> list[str]:
    if not asked:
        return [versions()[-1]]
    found = [read_version(text) for text in asked]
    if wrong := [text for text, version in zip(asked, found, strict=True) if version not in versions()]:
        raise UsageError(f"--kubernetes-version {wrong[0]}: there are {', '.join(versions())}")
    return sorted({version for version in found if version}, key=lambda version: int(version.partition(".")[2]))


def run_below(folder: str, shown: str, targets: Sequence[str], *, write_marks: bool = False) -> list[SuiteResult]:
    """Run all policy folders below a directory.

    Args:
        folder: Directory on disk.
        shown: What it is called in the results.
        targets: Kubernetes minor versions.
        write_marks: Write the marks that the examples ask for, then run them.

    Raises:
        UsageError: There is no such directory.
    """
    if not os.path.isdir(folder):
        raise UsageError(f"{folder}: no such directory")
    places = {f"{shown}/{path}": full for path, full in files_below(folder)}
    files = {path: _read(full) for path, full in places.items()}
    results = [run_suite(name, files, targets) for name in folders_of(files)]
    if not write_marks:
        return results
    for result in results:
        for path, found in result.found.items():
            marked = with_marks(files[path], found)
            if marked != files[path]:
                with open(places[path], "wb") as stream:
                    stream.write(marked)
                files[path] = marked
    return [run_suite(result.folder, files, targets) for result in results]


def _read(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()
