"""How `gitops-guard test` tells what came out: text for people, JSON and JUnit for machines."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TextIO
from xml.etree import ElementTree as Xml

from gitops_guard.model import CheckError
from gitops_guard.policy.suite import CaseResult, SuiteResult


def cases_of(results: Sequence[SuiteResult]) -> list[CaseResult]:
    """Return all cases, in the order of their folders."""
    return [case for result in results for case in result.cases]


def errors_of(results: Sequence[SuiteResult]) -> list[CheckError]:
    """Return all errors, in the order of their folders."""
    return [error for result in results for error in result.errors]


def _failed(cases: Sequence[CaseResult]) -> list[CaseResult]:
    return [case for case in cases if not case.ok]


def write_text(results: Sequence[SuiteResult], stream: TextIO) -> None:
    """Write one line for each case that failed, and a summary."""
    cases, errors = cases_of(results), errors_of(results)
    stream.writelines(f"{error.path}:{error.line}:{error.column}: {error.message}\n" for error in errors)
    for case in _failed(cases):
        place = f"{case.suite}/{case.case}" if case.case else case.suite
        stream.write(f"{place}: {case.policy}: expected {case.expected}, is {case.actual}: {case.message}\n")
    failed = len(_failed(cases))
    policies = len({(case.suite, case.policy) for case in cases})
    stream.write(f"{len(cases) - failed} passed, {failed} failed, {len(errors)} errors; {policies} policies\n")


def write_json(results: Sequence[SuiteResult], stream: TextIO) -> None:
    """Write the contract's object, version 1."""
    cases = cases_of(results)
    failed = len(_failed(cases))
    content = {
        "version": 1,
        "cases": [asdict(case) for case in cases],
        "errors": [
            {"path": error.path, "line": error.line, "column": error.column, "message": error.message}
            for error in errors_of(results)
        ],
        "passed": len(cases) - failed,
        "failed": failed,
        "skipped": 0,
    }
    stream.write(json.dumps(content, indent=2) + "\n")


def write_junit(results: Sequence[SuiteResult], stream: TextIO) -> None:
    """Write one test suite a folder."""
    root = Xml.Element("testsuites")
    for result in results:
        failed = len(_failed(result.cases))
        suite = Xml.SubElement(
            root,
            "testsuite",
            name=result.folder,
            tests=str(len(result.cases) + len(result.errors)),
            failures=str(failed),
            errors=str(len(result.errors)),
            skipped="0",
        )
        for case in result.cases:
            element = Xml.SubElement(
                suite, "testcase", classname=result.folder, name=f"{case.policy} {case.case}".strip()
            )
            if not case.ok:
                Xml.SubElement(element, "failure", message=case.message)
        for error in result.errors:
            element = Xml.SubElement(suite, "testcase", classname=result.folder, name=error.path)
            Xml.SubElement(element, "error", message=f"{error.line}:{error.column}: {error.message}")
    Xml.indent(root)
    stream.write('<?xml version="1.0" encoding="utf-8"?>\n')
    stream.write(Xml.tostring(root, encoding="unicode") + "\n")


Formatter = Callable[[Sequence[SuiteResult], TextIO], None]

FORMATS: Mapping[str, Formatter] = {"text": write_text, "json": write_json, "junit": write_junit}
"""Formats by name."""
