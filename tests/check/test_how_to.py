"""The how-to's examples are true: its manifest comments and its configuration are read as it says."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

from gitops_guard.check.suppress import suppress
from gitops_guard.config import Config, load
from gitops_guard.config.waivers import read_waivers
from gitops_guard.model import Finding, Resource

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "accept-findings.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
KNOWN = ("privileged-container", "host-pid", "host-network", "host-port")


def test_how_to_when_comments_are_tried_then_silence_what_it_says(
    resources_of: Callable[[str, str], list[Resource]], finding: Callable[..., Finding]
) -> None:
    text = BLOCKS[0]
    places = {"privileged-container": 8, "host-pid": 7, "host-network": 9, "host-port": 9}
    found = [finding(rule, "a.yaml", line) for rule, line in places.items()]
    result = suppress(
        found,
        sources={"a.yaml": text},
        resources=resources_of("a.yaml", text),
        config=Config(),
        today=date(2027, 1, 31),
        known_rules=KNOWN,
    )
    assert (len(places), (), ()) == (len(result.silenced), result.kept, result.extra)


def test_how_to_when_selector_is_loaded_then_is_valid() -> None:
    suppression = load(BLOCKS[2], "c.yaml").suppressions[0]
    assert (suppression.rule, suppression.until) == ("privileged-container", "2027-01-31")


def test_how_to_when_waiver_is_read_then_is_valid_and_the_configuration_names_its_folder() -> None:
    (waiver,) = read_waivers(BLOCKS[3].encode(), "waivers/vendor-agent.yaml").waivers
    assert ("vendor-agent", "2027-06-30") == (waiver.name, waiver.expires)
    assert ("waivers", "git+waivers@main") == load(BLOCKS[4], "c.yaml").waivers
