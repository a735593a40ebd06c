"""The reader survives every text: what is wrong is a ConfigError, never anything else."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_guard.config import Config, load
from gitops_guard.config.reading import _CONFIG
from gitops_guard.errors import ConfigError

PIECES = st.sampled_from(
    [*(f"{key}:" for key in _CONFIG), "\n", "\n  ", "\n- ", " ", "- ", "{", "}", "[", "]", ", ", ": ", "&a ", "*a", "<<: ", "? ",
     "|", ">", "'", '"', "#", "!!int ", "!x ", "~", "yes", "off", "1.30", "0x1", ".nan", "2027-01-31", "rule: a-b", "reason: x",
     "paths: [a]", "\t", "\x00", "\ud800", "\ufeff", "\u2028", "%YAML 1.1\n", "---\n", "...\n", "=", "null", "a-b"]
)  # fmt: skip


def _read(text: str) -> Config | ConfigError:
    try:
        return load(text, "c.yaml")
    except ConfigError as error:
        return error


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES | st.text(max_size=4), max_size=12).map("".join))
def test_load_when_text_is_anything_then_gives_config_or_config_error(text: str) -> None:
    result = _read(text)
    if isinstance(result, ConfigError):
        assert str(result).startswith("c.yaml:")
        assert 0 <= result.line <= text.count("\n") + text.count("\u2028") + text.count("\x85") + text.count("\r") + 2
