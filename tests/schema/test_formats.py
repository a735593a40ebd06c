import pytest

from gitops_guard.schema.formats import is_base64, is_micro_time, is_quantity, is_time

QUANTITIES = {
    True: [
        "0",
        "1",
        "100m",
        "1.5Gi",
        "-1",
        "+1",
        "1k",
        "1M",
        "1Ki",
        "2e3",
        "2E3",
        "1e-3",
        "1e+3",
        "1.",
        "1.Gi",
        ".",
        ".5",
        "m",
        "e3",
        "1 ",
        " 1",
        "+",
        "12E",
        "1n",
        "1u",
    ],
    False: [
        "",
        " ",
        "1K",
        "1ki",
        "1GB",
        "5e",
        "1 Gi",
        "1..2",
        "abc",
        "1m1",
        "0x10",
        "1e1.5",
        "1e",
        "e",
        "١",
        "1\n",
        "--1",
        "1e99999999999999999999",
    ],
}
BASE64 = {
    True: ["", "aGVsbG8=", "aGVs\nbG8=\n", "YQ==", "YWI=", "YWJj", "+/+/"],
    False: ["a", "aGVsbG8", "aGVsbG8==", "aGV-bG8_", "a===", "====", "aGVs bG8=", "é===", "=aGVsbG8"],
}
TIMES = {
    True: [
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00.5Z",
        "2026-01-31T12:00:00+02:00",
        "2024-02-29T00:00:00Z",
        "2026-01-31T12:00:00.123456789-07:00",
    ],
    False: [
        "",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31 12:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31t12:00:00z",
        "2026-01-31T12:00:00Z\n",
        "2026-01-31T12:60:00Z",
        "2026-01-31T12:00:00+25:00",
    ],
}
MICRO_TIMES = {
    True: ["2026-01-31T12:00:00.123456Z", "2026-01-31T12:00:00.000000+00:00"],
    False: [
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00.123Z",
        "2026-01-31T12:00:00.1234567Z",
        "2026-02-30T12:00:00.123456Z",
    ],
}


def _rows(table):
    return [pytest.param(text, expected, id=repr(text)) for expected, texts in table.items() for text in texts]


@pytest.mark.parametrize(("text", "expected"), _rows(QUANTITIES))
def test_is_quantity_reads_as_parse_quantity_does(text: str, expected: bool) -> None:
    assert expected is is_quantity(text)


@pytest.mark.parametrize(("text", "expected"), _rows(BASE64))
def test_is_base64_reads_as_go_does(text: str, expected: bool) -> None:
    assert expected is is_base64(text)


@pytest.mark.parametrize(("text", "expected"), _rows(TIMES))
def test_is_time_reads_as_go_does(text: str, expected: bool) -> None:
    assert expected is is_time(text)


@pytest.mark.parametrize(("text", "expected"), _rows(MICRO_TIMES))
def test_is_micro_time_wants_exactly_six_decimals(text: str, expected: bool) -> None:
    assert expected is is_micro_time(text)
