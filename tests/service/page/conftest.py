"""One Chromium with a fake microphone, and one service with the shipped model, for all tests of the page.

They live as long as a module: while Playwright runs, no other test of the process may start an event loop.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import soundfile
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests.service.conftest import RunningService, StartService, newest_shipped

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
    """A service with its worker, where nobody is enrolled at first."""
    models = newest_shipped("autodecompose").parents[1]
    return start_service(models, "--worker", min_speech_enrol_s=ENROL_S)


@pytest.fixture(scope="module")
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A window without a history, in English."""
    with closing(chromium.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext, playground: RunningService) -> Iterator[Page]:
    """The page, opened. In the end nothing was asked of another machine, and the console shows no error."""
    with closing(context.new_page()) as page:
        asked: list[str] = []
        said: list[str] = []

        def note(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                said.append(message.text)

        def ask(request: Request) -> None:
            asked.append(request.url)

        page.on("request", ask)
        page.on("console", note)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(playground.url)
        yield page
        own = (f"{playground.url}/", f"blob:{playground.url}/")
        assert [url for url in asked if not url.startswith(own)] == []
        assert said == []
