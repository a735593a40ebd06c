"""The HTML page in headless Chromium: what a keyboard reaches, what a screen reader is told, and that nothing is loaded."""

import io
import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from gitops_guard.model import Origin, Resource
from gitops_guard.model.resource import resource_id
from gitops_guard.model.simulation import Simulation
from gitops_guard.report import FormatOptions
from gitops_guard.report.simulation.html import write
from gitops_guard.rollout.assumptions import Assumptions
from gitops_guard.rollout.change import Change
from gitops_guard.rollout.predict_change import predict_change

CORPUS = Path(__file__).parents[1] / "rollout" / "corpus" / "hurts"
TEXTLESS = {"none", "generic", "InlineTextBox", "StaticText", "LineBreak", "ListMarker"}


class Browser:
    """Chromium, asked by the DevTools protocol over two pipes."""

    def __init__(self, profile: Path) -> None:
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        assert program, "Chromium is missing: apt-get install chromium"
        (theirs, self._out), (self._in, back) = os.pipe(), os.pipe()
        # The protocol wants file descriptors 3 and 4.
        command = f'exec 3<&{theirs} 4>&{back}; exec "$0" "$@"'
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                 "--remote-debugging-pipe", f"--user-data-dir={profile}"]  # fmt: skip
        self._process = subprocess.Popen(
            ["bash", "-c", command, program, *flags],
            pass_fds=(theirs, back), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs)
        os.close(back)
        self._numbers, self._left, self._session = itertools.count(1), b"", None
        self.events: list[dict] = []

    def open(self, path: Path) -> None:
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Accessibility", "Runtime", "Log"):
            self.ask(f"{domain}.enable")
        self.ask("Page.navigate", url=path.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._read())

    def ask(self, method: str, **params: object) -> dict:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != number:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _read(self) -> dict:
        while b"\0" not in self._left:
            data = os.read(self._in, 1 << 16)
            assert data, "Chromium has ended"
            self._left += data
        message, _, self._left = self._left.partition(b"\0")
        return json.loads(message)

    def evaluate(self, expression: str) -> object:
        return self.ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def press(self, key: str, text: str = "") -> None:
        codes = {"Tab": 9, "Enter": 13}
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key], **more)

    def tree(self) -> list[tuple[str, str]]:
        """(role, name) of what a screen reader gets, in order."""
        nodes = self.ask("Accessibility.getFullAXTree")["nodes"]
        told = [(one["role"]["value"], one.get("name", {}).get("value", "")) for one in nodes if not one["ignored"]]
        return [one for one in told if one[0] not in TEXTLESS]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._out)
        os.close(self._in)


def resources(path: Path) -> list[Resource]:
    bodies = yaml.safe_load_all(path.read_text(encoding="utf-8"))
    return [Resource(id=resource_id(one), body=one, origin=Origin(path="a.yaml", document=0, line=1)) for one in bodies]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory):
    directory = tmp_path_factory.mktemp("page")
    change = Change.between(
        *(resources(CORPUS / "recreate" / name) for name in ("before.yaml", "after.yaml")), Assumptions()
    )
    predictions = predict_change(change, Assumptions(), "1.36")
    out = io.StringIO()
    write(Simulation(rollouts=predictions.rollouts), out, FormatOptions(terminal=False, colour=False, width=100))
    page = directory / "page.html"
    page.write_text(out.getvalue(), encoding="utf-8")
    running = Browser(directory / "profile")
    try:
        running.open(page)
        yield running
    finally:
        running.close()


def test_page_when_a_screen_reader_reads_it_then_title_headings_verdict_and_picture_are_told(browser: Browser) -> None:
    told = browser.tree()
    names = [name for _, name in told]
    roles = {role for role, _ in told}
    assert told[0][0] == "RootWebArea"
    assert told[0][1].startswith("Rollouts: 1 rollout: 1 downtime")
    assert {"main", "heading", "region"} <= roles
    assert ("heading", "Deployment shop/web downtime") in told
    assert ("region", "Deployment shop/web downtime") in told
    pictures = [name for role, name in told if role in ("image", "img")]
    assert len(pictures) == 1
    assert "Deployment shop/web" in pictures[0]
    assert all(names[names.index(name)] for role, name in told if role in ("image", "img", "heading", "region"))
    assert browser.evaluate("document.documentElement.lang") == "en"


def test_page_when_the_keyboard_is_used_then_the_table_opens_and_has_headers(browser: Browser) -> None:
    assert browser.evaluate("document.querySelector('details').open") is False
    browser.press("Tab")
    assert browser.evaluate("document.activeElement.tagName") == "SUMMARY"
    outline = browser.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    browser.press("Enter", "\r")
    assert browser.evaluate("document.querySelector('details').open") is True
    told = browser.tree()
    headers = [name for role, name in told if role == "columnheader"]
    assert headers == ["time", "old", "new", "ready", "available", "ending", "what happened"]
    assert sum(role == "row" for role, _ in told) > 2


def test_page_when_opened_then_it_asks_for_nothing_and_breaks_no_policy(browser: Browser) -> None:
    asked = [
        event["params"]["request"]["url"]
        for event in browser.events
        if event.get("method") == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if not url.startswith("file:")] == []
    assert [event for event in browser.events if event.get("method") == "Log.entryAdded"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_when_its_texts_are_painted_then_they_stand_out_from_their_ground(browser: Browser, scheme: str) -> None:
    """At least 4.5 to 1, as WCAG 2 asks of small text."""
    browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    faint = browser.evaluate("""(() => {
      const numbers = text => text.match(/[\\d.]+/g).map(Number);
      const light = rgb => rgb.slice(0, 3).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
      const ground = element => {
        for (; element; element = element.parentElement) {
          const colour = numbers(getComputedStyle(element).backgroundColor);
          if (colour.length < 4 || colour[3] > 0) return colour;
        }
        return [255, 255, 255];
      };
      return [...document.querySelectorAll('h1, h2, p, dt, dd, summary, .verdict')].filter(element => {
        const [one, other] = [light(numbers(getComputedStyle(element).color)), light(ground(element))].sort((a, b) => b - a);
        return (one + .05) / (other + .05) < 4.5;
      }).map(element => element.outerHTML);
    })()""")
    assert faint == []
