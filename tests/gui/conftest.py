"""The desk as a person starts it, and a browser in front of it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from reelmend.film import Layout
from reels import in_layout, long_reel, write_reel

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

SECONDS = 60.0


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    write_reel(folder / "scan.mkv", in_layout(long_reel(), Layout("yuv", 8, sub_x=1, sub_y=1)))
    return folder


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Server:
    """`reelmend gui`, as a person starts it."""

    def __init__(self, media: Path, project: Path) -> None:
        self.address = f"http://127.0.0.1:{free_port()}/"
        port = self.address.rsplit(":", 1)[1].strip("/")
        command = [sys.executable, "-m", "reelmend", "gui", "--project", str(project), "--root", str(media), "--port"]
        # NiceGUI behaves otherwise where it believes itself under test.
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "NICEGUI"))}
        self._process = subprocess.Popen([*command, port, "--no-browser"], env=environment, cwd=media)
        end = time.monotonic() + SECONDS
        while True:
            try:
                urllib.request.urlopen(self.address, timeout=5).close()
                return
            except (urllib.error.URLError, OSError):
                assert self._process.poll() is None, "the server ended"
                assert time.monotonic() < end, "the server never answered"
                time.sleep(0.1)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    pytest.importorskip("nicegui", reason="the extra [gui] is not installed")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if BROWSER is None:
        pytest.skip("no Chromium is installed: the desk's page is not tested")
    # A machine that trains beside the tests is slow, not wrong.
    sync_api.expect.set_options(timeout=SECONDS * 1000)
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def page(browser: object) -> Iterator[object]:
    made = browser.new_page(viewport={"width": 1280, "height": 720})  # type: ignore[attr-defined]
    wrong: list[str] = []
    made.on("pageerror", lambda error: wrong.append(str(error)))
    away = []
    made.on("request", lambda request: away.append(request.url))
    made.set_default_timeout(SECONDS * 1000)
    yield made
    made.close()
    assert not wrong
    assert all(url.startswith(("http://127.0.0.1:", "data:", "blob:", "ws:")) for url in away), "asked the internet"
