import pytest

from gitops_guard.config import Config, Flags, MissingSchema, Override, Scope, Scopes, Settings, settle
from gitops_guard.errors import ConfigError
from gitops_guard.model import Severity

AVAILABLE = ("1.9", "1.35", "1.36", "1.37")
FORMATS = ("text", "json")


def _settle(flags: Flags, environment: dict[str, str], config: Config) -> Settings:
    return settle(flags, environment, config, available_versions=AVAILABLE, formats=FORMATS)


def test_settle_when_nothing_is_said_then_gives_defaults() -> None:
    expected = Settings(
        kubernetes_versions=("1.37",),
        fail_on=Severity.ERROR,
        missing_schema=MissingSchema.IGNORE,
        format="text",
        colour="auto",
        cache_dir="",
        jobs=0,
    )
    assert expected == _settle(Flags(), {}, Config())


CONFIG = Config(
    path="c.yaml", kubernetes_versions=("1.35",), fail_on=Severity.WARNING, missing_schema=MissingSchema.ERROR
)
VARIABLES = {"GITOPS_GUARD_KUBERNETES_VERSIONS": "1.37, v1.36", "GITOPS_GUARD_FAIL_ON": "note"}


@pytest.mark.parametrize(
    ("flags", "environment", "config", "expected"),
    [
        pytest.param(Flags(kubernetes_versions=("1.36.4",), fail_on="error"), VARIABLES, CONFIG, (("1.36",), "error"), id="flag"),
        pytest.param(Flags(), VARIABLES, CONFIG, (("1.36", "1.37"), "note"), id="environment"),
        pytest.param(Flags(), {"GITOPS_GUARD_FAIL_ON": ""}, CONFIG, (("1.35",), "warning"), id="file"),
        pytest.param(Flags(), {}, Config(), (("1.37",), "error"), id="default"),
        pytest.param(Flags(kubernetes_versions=("1.36", "v1.9", "1.36.1")), {}, Config(), (("1.9", "1.36"), "error"), id="sorted-once"),
    ],
)  # fmt: skip
def test_settle_when_several_speak_then_flag_over_environment_over_file_over_default(
    flags: Flags, environment: dict[str, str], config: Config, expected: tuple[tuple[str, ...], str]
) -> None:
    settings = _settle(flags, environment, config)
    assert expected == (settings.kubernetes_versions, settings.fail_on)


@pytest.mark.parametrize(
    ("flags", "environment", "config", "message"),
    [
        pytest.param(Flags(kubernetes_versions=("1.99",)), {}, Config(), "--kubernetes-version: Kubernetes 1.99 is not bundled; there are 1.9, 1.35, 1.36, 1.37", id="version-flag"),
        pytest.param(Flags(kubernetes_versions=("x",)), {}, Config(), "--kubernetes-version: 'x' is no Kubernetes version; write it as \"1.36\"", id="no-version"),
        pytest.param(Flags(), {"GITOPS_GUARD_KUBERNETES_VERSIONS": "2.0"}, Config(), "GITOPS_GUARD_KUBERNETES_VERSIONS: Kubernetes 2.0 is not bundled", id="version-variable"),
        pytest.param(Flags(), {}, Config(path="c.yaml", kubernetes_versions=("1.1",)), "c.yaml: Kubernetes 1.1 is not bundled", id="version-file"),
        pytest.param(Flags(), {}, Config(path="c.yaml", overrides=(Override(paths=("a",), kubernetes_versions=("1.2",)),)), "c.yaml: Kubernetes 1.2 is not bundled", id="version-override"),
        pytest.param(Flags(format="jsn"), {}, Config(), "--format: must be one of text, json, not 'jsn'; did you mean \"json\"?", id="format"),
        pytest.param(Flags(), {"GITOPS_GUARD_FAIL_ON": "bad"}, Config(), "GITOPS_GUARD_FAIL_ON: must be one of error, warning, note, not 'bad'", id="variable"),
        pytest.param(Flags(jobs="-1"), {}, Config(), "--jobs: must be a number of processes", id="jobs"),
        pytest.param(Flags(jobs=""), {}, Config(), "--jobs: must be a number of processes", id="jobs-empty"),
        pytest.param(Flags(colour="blue"), {}, Config(), "--colour: must be one of auto, always, never", id="colour"),
    ],
)  # fmt: skip
def test_settle_when_value_is_not_allowed_then_names_who_said_it(
    flags: Flags, environment: dict[str, str], config: Config, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        _settle(flags, environment, config)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("flags", "environment", "expected"),
    [
        pytest.param(Flags(cache_dir="/c"), {"GITOPS_GUARD_CACHE_DIR": "/e", "HOME": "/h"}, "/c", id="flag"),
        pytest.param(Flags(), {"GITOPS_GUARD_CACHE_DIR": "/e", "HOME": "/h"}, "/e", id="variable"),
        pytest.param(Flags(), {"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/gitops-guard", id="xdg"),
        pytest.param(Flags(), {"XDG_CACHE_HOME": "x", "HOME": "/h"}, "/h/.cache/gitops-guard", id="xdg-relative"),
        pytest.param(Flags(), {"HOME": "/h"}, "/h/.cache/gitops-guard", id="home"),
        pytest.param(Flags(cache_dir=""), {"HOME": "/h"}, "", id="flag-switches-off"),
    ],
)
def test_settle_when_choosing_cache_directory_then_follows_xdg(
    flags: Flags, environment: dict[str, str], expected: str
) -> None:
    assert expected == _settle(flags, environment, Config()).cache_dir


def test_settle_when_no_color_is_set_then_colour_is_never() -> None:
    assert _settle(Flags(), {"NO_COLOR": "1"}, Config()).colour == "never"
    assert _settle(Flags(colour="always"), {"NO_COLOR": "1"}, Config()).colour == "always"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("apps/web.yaml", True, id="included"),
        pytest.param("apps/old/web.yaml", False, id="excluded"),
        pytest.param("docs/web.yaml", False, id="not-included"),
    ],
)
def test_scopes_when_selecting_then_exclude_wins_over_include(path: str, expected: bool) -> None:
    scopes = Scopes(Config(include=("apps/",), exclude=("old/",)), ("1.37",))
    assert expected == scopes.selected(path)


def test_scopes_when_overrides_match_then_later_ones_win() -> None:
    config = Config(
        severity={"a": Severity.NOTE},
        overrides=(
            Override(paths=("apps/",), kubernetes_versions=("1.35",), exclude_rules=("b",)),
            Override(paths=("apps/new/",), severity={"b": Severity.WARNING}),
        ),
    )
    scopes = Scopes(config, ("1.37",))
    assert Scope(kubernetes_versions=("1.37",), severity={"a": Severity.NOTE}) == scopes.at("x.yaml")
    assert Scope(kubernetes_versions=("1.35",), severity={"a": Severity.NOTE, "b": None}) == scopes.at("apps/x.yaml")
    new = scopes.at("apps/new/x.yaml")
    assert (new.kubernetes_versions, new.severity_of("b", Severity.ERROR)) == (("1.35",), Severity.WARNING)
    assert None is scopes.at("apps/x.yaml").severity_of("b", Severity.ERROR)
    assert Severity.ERROR is new.severity_of("c", Severity.ERROR)
