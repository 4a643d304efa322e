"""A window of Chromium with a fake microphone, and a service with the shipped model, for all tests.

They live as long as a module: while Playwright runs, no other test of the process may start an event loop.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
import soundfile
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, WebSocket, sync_playwright

from tests.service.conftest import RunningService, StartService, newest_shipped

KEY = "the-key-of-the-operator"
# Chromium's console tells of every refused call. The page says why: no key, or no speech in a recording.
REFUSED = ("status of 401", "status of 422")
ENROL_S = 2.0  # recording takes real time
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)


@pytest.fixture(scope="module")
def chromium(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Debian's Chromium; into its microphone speaks reader 1998, over and over."""
    binary = shutil.which("chromium")
    if binary is None:
        pytest.skip("chromium is not installed (apt-get install chromium): this test needs a browser")
    voice = tmp_path_factory.mktemp("microphone") / "voice.wav"
    samples, rate = soundfile.read(examples / "audio/1998/1998-15444-0002.opus")
    soundfile.write(voice, samples, rate, subtype="PCM_16")
    options = [*OPTIONS, f"--use-file-for-fake-audio-capture={voice}"]
    with (
        sync_playwright() as playwright,
        closing(playwright.chromium.launch(executable_path=binary, args=options)) as browser,
    ):
        yield browser


@pytest.fixture(scope="module")
def playground(start_service: StartService) -> RunningService:
    """A service with its worker, which asks for a key, and where nobody is enrolled at first."""
    models = newest_shipped("autodecompose").parents[1]
    return start_service(models, "--worker", min_speech_enrol_s=ENROL_S, api_keys=KEY)


@pytest.fixture
def api(playground: RunningService) -> Iterator[httpx.Client]:
    """The same service without a browser."""
    with playground.client() as http:
        http.headers["Authorization"] = f"Bearer {KEY}"
        yield http


@pytest.fixture(scope="module")
def window(chromium: Browser) -> Iterator[Page]:
    """A window without a history, in English."""
    with (
        closing(chromium.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})) as context,
        closing(context.new_page()) as window,
    ):
        yield window


@pytest.fixture
def page(window: Page, playground: RunningService) -> Iterator[Page]:
    """The page, as the test before left it. In the end nothing was asked of another machine, and the
    console shows no error."""
    requests: list[str] = []
    messages: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            messages.append(message.text)

    def watch(request: Request) -> None:
        requests.append(request.url)

    def connect(socket: WebSocket) -> None:
        requests.append(socket.url.replace("ws", "http", 1))

    def fault(error: Error) -> None:
        messages.append(str(error))

    window.on("request", watch)
    window.on("console", note)
    window.on("pageerror", fault)
    window.on("websocket", connect)
    if not window.url.startswith(playground.url):
        window.goto(playground.url)
    yield window
    window.remove_listener("request", watch)
    window.remove_listener("console", note)
    window.remove_listener("pageerror", fault)
    window.remove_listener("websocket", connect)
    local = (f"{playground.url}/", f"blob:{playground.url}/")
    assert [url for url in requests if not url.startswith(local)] == []
    assert [text for text in messages if not any(status in text for status in REFUSED)] == []
