"""A headless Chromium: what a page looks like and what becomes of it after its scripts ran."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip


class BrowserMissingError(Exception):
    """There is no Chromium on PATH."""


class Browser:
    """Starts Chromium anew for each page, with a profile that is thrown away."""

    def __init__(self, pictures: Path) -> None:
        found = [path for name in NAMES if (path := shutil.which(name))]
        if not found:
            raise BrowserMissingError("no Chromium on PATH; Debian has it: apt-get install chromium")
        self._program = found[0]
        self.pictures = pictures

    def rendered(self, address: str) -> str:
        """Return the page's HTML after its scripts ran."""
        return self._run("--dump-dom", "--timeout=20000", address)

    def picture(self, address: str, name: str, *, size: str = "1200,2400", dark: bool = False) -> Path:
        """Write a picture of the page."""
        path = self.pictures / name
        colours = ["--blink-settings=preferredColorScheme=0"] if dark else []
        self._run(f"--screenshot={path}", f"--window-size={size}", "--timeout=20000", *colours, address)
        assert path.stat().st_size > 5_000
        return path

    def _run(self, *arguments: str) -> str:
        with tempfile.TemporaryDirectory(prefix="browser-") as profile:
            command = [self._program, *_FLAGS, f"--user-data-dir={profile}", *arguments]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout
