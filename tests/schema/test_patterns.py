import warnings

import pytest

from gitops_guard.schema.patterns import BadPatternError, ForeignPatternError, compile_pattern


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        pytest.param("^a$", "a\n", False, id="$ before a final newline"),
        pytest.param(r"^\d+$", "١٢", False, id="digits are ASCII"),
        pytest.param(r"^\w+$", "é", False, id="word is ASCII"),
        pytest.param(r"\s", "\v", False, id="no vertical tab among blanks"),
        pytest.param(r"[\s]", "\v", False, id="nor in a class"),
        pytest.param(r"\Aa\z", "a", True, id="text ends"),
        pytest.param(r"[$]", "$", True, id="$ in a class"),
        pytest.param(r"\$", "$", True, id="escaped $"),
        pytest.param("[[:alpha:]]", "b", True, id="POSIX class"),
        pytest.param("[[:alpha:]]", ":", False, id="POSIX class, not its letters"),
        pytest.param("[]a]", "]", True, id="bracket first in a class"),
        pytest.param("[^]a]", "]", False, id="bracket first in a negated class"),
        pytest.param("[a[b]", "[", True, id="bracket in a class"),
        pytest.param("[a&&b]", "&", True, id="ampersands are literal"),
        pytest.param("(?i)ab", "AB", True, id="leading flag"),
        pytest.param("(?i:a)b", "Ab", True, id="scoped flag"),
        pytest.param("(?P<x>a)", "a", True, id="named group"),
        pytest.param("(?<x>a)", "a", True, id="named group, Go 1.22"),
        pytest.param("a{2}", "aa", True, id="repeat"),
        pytest.param("a{b", "a{b", True, id="literal brace"),
        pytest.param("a+?", "a", True, id="lazy"),
        pytest.param(r"\x41", "A", True, id="hexadecimal"),
        pytest.param("^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "a-b", True, id="the usual name"),
    ],
)
def test_compile_pattern_reads_as_re2(pattern: str, text: str, expected: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert expected is (compile_pattern(pattern).search(text) is not None)


@pytest.mark.parametrize(
    "pattern",
    [
        "(?=a)",
        "(?!a)",
        "(?<=a)b",
        "(?<!a)b",
        r"(a)\1",
        "(?>a)",
        "a++",
        "a**",
        "a{1001}",
        "(",
        "[a",
        "a\\",
        r"\y",
        "*a",
        "(?P=x)",
        "a{2}{3}",
    ],
)
def test_compile_pattern_that_re2_refuses_is_bad(pattern: str) -> None:
    with pytest.raises(BadPatternError):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [r"\pL", r"\p{Greek}", r"\Qa.b\E", "a(?i)b", "(?U)a", "[[:^alpha:]]", "[[:punct:]]", r"\C", "a{,3}", r"\x{41}"],
)
def test_compile_pattern_that_only_python_cannot_read_is_foreign(pattern: str) -> None:
    with pytest.raises(ForeignPatternError):
        compile_pattern(pattern)
