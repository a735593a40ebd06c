import json
import re
import subprocess
import sys
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt

from gitops_guard.model import CheckError, Coverage, Finding, Report, Severity
from gitops_guard.report import FORMATS
from gitops_guard.report.markdown import code


@pytest.mark.parametrize("kind", ["ordinary", "clean", "hostile"])
def test_junit_when_parsed_then_numbers_are_those_of_its_cases(
    kind: str, reports: dict[str, Report], written: Callable[..., str]
) -> None:
    root = ET.fromstring(written("junit", reports[kind]))
    assert root.tag == "testsuites"
    for element in [root, *root.iter("testsuite")]:
        actual = {
            name: len(list(element.iter(tag)))
            for name, tag in (
                ("tests", "testcase"),
                ("failures", "failure"),
                ("errors", "error"),
                ("skipped", "skipped"),
            )
        }
        assert actual == {name: int(element.attrib[name]) for name in actual}
    report = reports[kind]
    assert int(root.attrib["failures"]) == report.counts.error + report.counts.warning
    assert int(root.attrib["errors"]) == len(report.errors)


def test_junit_when_text_holds_what_xml_cannot_then_still_parses(
    make_finding: Callable[..., Finding], written: Callable[..., str]
) -> None:
    message = "".join(chr(point) for point in [*range(0x20), 0x7F, 0x85, 0xFFFE, 0xFFFF, 0xD800]) + "]]>&<\"'"
    report = Report(
        findings=(make_finding("r", "p", 1, 1, 2, message=message, field=""),), errors=(), coverage=Coverage()
    )
    failure = ET.fromstring(written("junit", report).encode()).find(".//failure")
    assert failure is not None
    assert failure.attrib["message"].startswith("\\x00\\x01")
    assert failure.attrib["message"].endswith("\\ud800]]>&<\"'")


def test_junit_when_files_alternate_then_each_file_is_one_suite(
    reports: dict[str, Report], make_finding: Callable[..., Finding], written: Callable[..., str]
) -> None:
    report = Report(
        findings=(make_finding("r", "a", 1, 1, 2), make_finding("r", "b", 1, 1, 2)),
        errors=(
            CheckError(path="a", line=1, column=1, message="x"),
            CheckError(path="b", line=1, column=1, message="x"),
        ),
        coverage=Coverage(),
    )
    names = [suite.attrib["name"] for suite in ET.fromstring(written("junit", report)).iter("testsuite")]
    assert names == ["a", "b", "coverage"]


COMMAND = re.compile(r"::(?P<name>[a-z]+) (?P<properties>[^:]*)::(?P<message>.*)")


def _unescape(text: str) -> str:
    for code_, char in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code_, char)
    return text


@pytest.mark.parametrize("kind", ["ordinary", "hostile"])
def test_github_when_read_back_then_each_line_is_one_command_of_ours(
    kind: str, reports: dict[str, Report], written: Callable[..., str]
) -> None:
    report = reports[kind]
    lines = written("github", report).split("\n")
    commands = [match for line in lines if (match := COMMAND.fullmatch(line))]
    assert len(commands) == len(report.findings) + len(report.errors)
    assert all(line.startswith("gitops-guard: ") for line in lines[len(commands) : -1])
    for match in commands:
        keys = [pair.split("=")[0] for pair in match["properties"].split(",")]
        assert set(keys) <= {"file", "line", "col", "endLine", "endColumn", "title"}
        assert len(set(keys)) == len(keys)


def test_github_when_values_are_escaped_then_reading_gives_them_back(
    make_finding: Callable[..., Finding], written: Callable[..., str]
) -> None:
    found = make_finding("r", "a,b:c%25.yaml", 2, 3, 5, message="50%: a,b", field="", resource=None)
    line = written("github", Report(findings=(found,), errors=(), coverage=Coverage())).splitlines()[0]
    assert line == "::error file=a%2Cb%3Ac%2525.yaml,line=2,col=3,endLine=2,endColumn=4,title=r::50%25: a,b"
    match = COMMAND.fullmatch(line)
    assert match is not None
    assert "a,b:c%25.yaml" in _unescape(match["properties"])
    assert _unescape(match["message"]) == "50%: a,b"


def test_gitlab_when_findings_share_a_fingerprint_then_each_entry_has_its_own(
    make_finding: Callable[..., Finding], written: Callable[..., str]
) -> None:
    same = tuple(make_finding("r", "p", line, 1, 2, fingerprint="f") for line in (1, 2, 3))
    entries = json.loads(written("gitlab", Report(findings=same, errors=(), coverage=Coverage())))
    assert [entry["fingerprint"] for entry in entries] == ["f", "f-2", "f-3"]


@pytest.mark.parametrize("kind", ["ordinary", "clean", "hostile"])
def test_gitlab_when_written_then_entries_have_what_gitlab_reads(
    kind: str, reports: dict[str, Report], written: Callable[..., str]
) -> None:
    for entry in json.loads(written("gitlab", reports[kind])):
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert entry["location"]["lines"]["begin"] >= 1


def _live(text: str) -> set[str]:
    """Return the kinds of tokens that a renderer sees outside code, and the words of its plain text."""
    tokens: set[str] = set()
    for block in MarkdownIt("gfm-like", {"linkify": False}).parse(text):
        tokens.add(block.type)
        tokens |= {child.type for child in block.children or ()}
        tokens |= {f"html:{child.content}" for child in block.children or () if child.type == "html_inline"}
    return tokens


def _plain(text: str) -> str:
    blocks = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    return " ".join(child.content for block in blocks for child in block.children or () if child.type == "text")


def test_markdown_when_content_is_hostile_then_nothing_of_it_is_live(
    reports: dict[str, Report], written: Callable[..., str]
) -> None:
    text = written("markdown", reports["hostile"])
    assert not {"link_open", "image", "html_block", "fence", "code_block"} & _live(text)
    assert {token for token in _live(text) if token.startswith("html:")} <= {"html:<br>"}
    assert "root" not in _plain(text)
    assert "add" not in _plain(text)


def test_markdown_when_doc_is_a_plain_url_then_links_it(
    reports: dict[str, Report], written: Callable[..., str]
) -> None:
    assert "link_open" in _live(written("markdown", reports["ordinary"]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("plain", "`plain`", id="plain"),
        pytest.param("a`b", "``a`b``", id="inner"),
        pytest.param("`a`", "`` `a` ``", id="at-the-ends"),
        pytest.param("```", "```` ``` ````", id="only-ticks"),
        pytest.param("", "`   `", id="empty"),
        pytest.param("a\n# b", "`a\\n# b`", id="line-break"),
        pytest.param("x" * 500, f"`{'x' * 400}...`", id="long"),
    ],
)
def test_code_when_text_holds_backticks_then_fence_is_longer(text: str, expected: str) -> None:
    assert expected == code(text)


def test_markdown_when_findings_are_many_then_shows_the_worst_and_counts_the_rest(
    make_finding: Callable[..., Finding], written: Callable[..., str]
) -> None:
    notes = [make_finding("note-rule", "a", line, 1, 2, severity=Severity.NOTE) for line in range(1, 9)]
    findings = [*notes, make_finding("error-rule", "b", 1, 1, 2)]
    text = written("markdown", Report(findings=tuple(findings), errors=(), coverage=Coverage()), limit=3)
    assert text.count("`note-rule`") == 2
    assert text.count("`error-rule`") == 1
    assert "6 more are left out here, none worse than those shown." in text


def test_formats_when_text_is_picked_then_no_other_format_is_imported() -> None:
    script = (
        "import io, sys; from gitops_guard.report import FORMATS, FormatOptions; from gitops_guard.model import *; "
        "FORMATS['text'](Report(findings=(), errors=(), coverage=Coverage()), io.StringIO(), FormatOptions()); "
        "print([m for m in ('json', 'xml', 'urllib.parse', 'gitops_guard.report.sarif', 'jsonschema', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_formats_when_listed_then_are_the_documented_ones() -> None:
    assert list(FORMATS) == ["text", "json", "sarif", "junit", "github", "gitlab", "markdown"]
