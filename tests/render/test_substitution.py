"""Flux's postBuild substitution against its documented behaviour."""

import pytest

from gitops_guard.render.substitution import SubstitutionError, substitute

VARIABLES = {"region": "eu-central-1", "path": "/srv/data/web.tar.gz", "empty": "", "cluster": "Staging", "n": "3"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("no variable", "no variable", id="text"),
        pytest.param("a-${region}-b", "a-eu-central-1-b", id="plain"),
        pytest.param("${empty}", "", id="set-but-empty"),
        pytest.param("$region and $", "$region and $", id="without-braces"),
        pytest.param("$${region}", "${region}", id="escaped"),
        pytest.param("$$x $$$y", "$x $$y", id="doubled-dollars"),
        pytest.param("$${x:-${region}}", "${x:-eu-central-1}", id="variable-inside-escaped"),
        pytest.param("${absent:-web}", "web", id="default"),
        pytest.param("${absent:=web}", "web", id="assigned-default"),
        pytest.param("${absent=web}", "web", id="equals-default"),
        pytest.param("${empty:=web}", "web", id="default-of-empty"),
        pytest.param("${region:=web}", "eu-central-1", id="default-not-used"),
        pytest.param("${absent:-}", "", id="empty-default"),
        pytest.param("${absent:-a:b/c}", "a:b/c", id="default-with-operators"),
        pytest.param("${absent:=${region}-x}", "eu-central-1-x", id="nested-default"),
        pytest.param("${absent:=a${region}b${n}c}", "aeu-central-1b3c", id="two-nested"),
        pytest.param("${region:3}", "central-1", id="position"),
        pytest.param("${region:3:7}", "central", id="position-and-length"),
        pytest.param("${region:1:-2}", "u-central", id="negative-length"),
        pytest.param("${region:99}", "", id="position-behind-the-end"),
        pytest.param("${region:x}", "eu-central-1", id="position-no-number"),
        pytest.param("${region/-/_}", "eu_central-1", id="replace-first"),
        pytest.param("${region//-/_}", "eu_central_1", id="replace-all"),
        pytest.param("${region/#eu/us}", "us-central-1", id="replace-prefix"),
        pytest.param("${region/%1/2}", "eu-central-2", id="replace-suffix"),
        pytest.param("${region/#/x-}", "x-eu-central-1", id="prepend"),
        pytest.param("${region/%/-x}", "eu-central-1-x", id="append"),
        pytest.param("${region/-/}", "eucentral-1", id="replace-by-nothing"),
        pytest.param(r"${path//\//-}", "-srv-data-web.tar.gz", id="escaped-slash"),
        pytest.param("${path#*/}", "srv/data/web.tar.gz", id="shortest-prefix"),
        pytest.param("${path##*/}", "web.tar.gz", id="longest-prefix"),
        pytest.param("${path%.*}", "/srv/data/web.tar", id="shortest-suffix"),
        pytest.param("${path%%.*}", "/srv/data/web", id="longest-suffix"),
        pytest.param("${cluster^^}", "STAGING", id="upper"),
        pytest.param("${cluster,,}", "staging", id="lower"),
        pytest.param("${cluster,}", "staging", id="lower-first"),
        pytest.param("${region^}", "Eu-central-1", id="upper-first"),
        pytest.param("${#region}", "12", id="length"),
    ],
)
def test_substitute_when_flux_documents_it_then_the_same(written: str, expected: str) -> None:
    assert expected == substitute(written, VARIABLES)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        pytest.param("${absent}", "not set .strict mode.: 'absent'", id="missing"),
        pytest.param("${absent^^}", "not set .strict mode.: 'absent'", id="missing-with-operator"),
        pytest.param("${#absent}", "not set .strict mode.: 'absent'", id="length-of-missing"),
        pytest.param("${region", "closing brace", id="unclosed"),
        pytest.param("${}", "name is missing", id="no-name"),
        pytest.param("${region!}", "closing brace", id="unknown-operator"),
        pytest.param("${region/a}", "second `/`", id="no-second-slash"),
        pytest.param("${a:-" * 200 + "}" * 200, "nested more than", id="too-deep"),
    ],
)
def test_substitute_when_it_is_wrong_then_the_error_says_why(written: str, message: str) -> None:
    with pytest.raises(SubstitutionError, match=message):
        substitute(written, VARIABLES)


def test_substitute_when_a_value_is_secret_then_no_error_holds_it() -> None:
    with pytest.raises(SubstitutionError) as caught:
        substitute("${password/a}", {"password": "hunter2"})
    assert "hunter2" not in str(caught.value)
