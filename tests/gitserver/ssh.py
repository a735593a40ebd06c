"""A Git server over SSH on loopback: asyncssh in front of Git's own `git-upload-pack`."""

from __future__ import annotations

import asyncio
import shlex
import threading
from pathlib import Path

import asyncssh


class GitOverSsh:
    """Serves all repositories below a folder to one key."""

    def __init__(self, folder: Path, *, trusted: Path, host_key_type: str = "ssh-ed25519") -> None:
        """Start it.

        Args:
            folder: Of the repositories.
            trusted: File with the public key that may read.
            host_key_type: Of the key that the server shows.
        """
        self.folder = folder
        self.commands: list[str] = []
        self._trusted = trusted
        self._key = asyncssh.generate_private_key(host_key_type)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    @property
    def port(self) -> int:
        """Return where it listens."""
        return int(self._server.get_port())

    @property
    def known_hosts(self) -> str:
        """Return the line by which a client knows this server."""
        return f"[127.0.0.1]:{self.port} {self._key.export_public_key().decode()}"

    def url(self, name: str, *, user: str = "git") -> str:
        """Return a repository's URL."""
        return f"ssh://{user}@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """End it."""

        async def close() -> None:
            self._server.close()
            await self._server.wait_closed()

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[self._key],
            authorized_client_keys=str(self._trusted),
            process_factory=self._serve,
            encoding=None,
        )

    async def _serve(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        command = process.command or ""
        self.commands.append(command)
        program, path = shlex.split(command)
        folder = self.folder / path.lstrip("/")
        if program != "git-upload-pack" or not folder.is_dir():
            process.stderr.write(b"fatal: no such repository\n")
            process.exit(128)
            return
        child = await asyncio.create_subprocess_exec(
            program, str(folder), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        await process.redirect(stdin=child.stdin, stdout=child.stdout, stderr=child.stderr)
        process.exit(await child.wait())
        await process.wait_closed()
