"""Draws the pictures of docs/playground.md in a real browser, and measures the page.

Usage, with a service where nobody is enrolled (`make serve`): python docs/screenshots.py [URL]

It needs Chromium and playwright (the `test` extra). Reader 1998 of examples/ speaks into the microphone.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import httpx
import soundfile
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
AUDIO = HERE.parent / "examples" / "audio"
FOLDER, TEXT = HERE / "playground", HERE / "playground.md"
STATIC = HERE.parent / "service" / "page" / "static"
#: Who is enrolled, from which recording. The last is one reader again: the gallery has a pair to show.
ENROLLED = (
    ("Bea", "1998/1998-15444-0002"),
    ("Carl", "2414/2414-128291-0004"),
    ("Ann", "367/367-130732-0002"),
    ("Eve", "533/533-1066-0001"),
    ("Eva", "533/533-1066-0002"),
)
COLOURS = 96  # of a picture
LIMIT_MS = 120_000
PAINTS = 5
LISTEN_MS = 9_000


def require_empty(url: str) -> None:
    if httpx.get(f"{url}/speakers").json()["speakers"]:
        sys.exit("Somebody is enrolled already: start a service with an empty TWOFOLD_STATE_DIR.")


def newcomer(browser: Browser, url: str) -> float:
    """Enrols two voices by clicks, and opens their conversation; the seconds until both names are there."""
    page = browser.new_page(locale="en-GB")
    page.set_default_timeout(LIMIT_MS)
    began = time.monotonic()
    page.goto(url)
    for name in ("Bea", "Dan"):
        page.get_by_role("button", name=name, exact=True).click()
        page.get_by_label("This person agrees").check()
        page.get_by_role("button", name="Enrol", exact=True).click()
        page.get_by_text(f"{name} is enrolled").wait_for()
    page.get_by_role("link", name="Who spoke when").click()
    page.get_by_role("button", name="Bea, Dan").click()
    for name in ("Bea", "Dan"):
        page.locator(".lane-head", has_text=name).wait_for()
    seconds = time.monotonic() - began
    page.close()
    return seconds


def enrol(url: str) -> None:
    """Enrols everybody of the pictures. Whoever was there before is erased."""
    with httpx.Client(base_url=url, timeout=60) as http:
        for speaker in http.get("/speakers").json()["speakers"]:
            http.delete(f"/speakers/{speaker['speaker_id']}").raise_for_status()
        for name, path in ENROLLED:
            sound = (AUDIO / f"{path}.opus").read_bytes()
            form = {
                "name": name,
                "consent": "The voiceprint is stored.",
                "retain_audio": str(name == "Bea").lower(),
            }
            http.post("/speakers", files={"audio": sound}, data=form).raise_for_status()


def show_enrol(page: Page) -> None:
    page.get_by_role("button", name="Dan", exact=True).click()
    page.locator(".take .facts").wait_for()


def show_identify(page: Page) -> None:
    page.get_by_role("button", name="Bea", exact=True).click()
    page.locator(".scores").wait_for()


def show_conversation(page: Page) -> None:
    page.get_by_role("button", name="Bea, Dan").click()
    page.locator(".lane").first.wait_for()


def show_live(page: Page) -> None:
    page.get_by_role("button", name="Listen").click()
    page.locator(".now strong", has_text="Bea").wait_for()
    page.wait_for_timeout(LISTEN_MS)


def show_gallery(page: Page) -> None:
    page.locator(".map").wait_for()


def show_finetune(page: Page) -> None:
    page.get_by_role("button", name="Add the examples").click()
    page.get_by_text("12 recordings").wait_for()
    page.get_by_role("button", name="Fine-tune", exact=True).click()
    page.locator("img.report").wait_for()


def show_generate(page: Page) -> None:
    for label in ("three", "seven", "zero"):
        page.get_by_role("button", name=label, exact=True).click()
        page.locator("figcaption", has_text=label).wait_for()
    page.locator(".playing").wait_for(state="detached")


PANELS: dict[str, Callable[[Page], None]] = {
    "enrol": show_enrol,
    "identify": show_identify,
    "conversation": show_conversation,
    "live": show_live,
    "gallery": show_gallery,
    "finetune": show_finetune,
    "generate": show_generate,
}


def draw(browser: Browser, url: str) -> None:
    """A picture a panel, and one of a narrow dark window."""
    FOLDER.mkdir(exist_ok=True)
    window = browser.new_page(viewport={"width": 1240, "height": 760}, locale="en-GB", color_scheme="light")
    window.set_default_timeout(LIMIT_MS)
    for name, show in PANELS.items():
        window.goto(f"{url}/#{name}")
        window.reload()  # so that nothing of the panel before goes on
        window.locator(f"section.{name}").wait_for()
        show(window)
        window.wait_for_timeout(300)  # until canvases are drawn
        window.mouse.move(0, 0)
        save(window, name)
    window.emulate_media(color_scheme="dark")
    window.set_viewport_size({"width": 390, "height": 844})
    window.goto(f"{url}/#conversation")
    window.reload()
    show_conversation(window)
    window.wait_for_timeout(300)
    save(window, "narrow")


def save(page: Page, name: str) -> None:
    """A screenshot with few colours: a third of the bytes, and looks the same."""
    path = FOLDER / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    Image.open(path).convert("RGB").quantize(COLOURS).save(path, optimize=True)


def first_paint_ms(browser: Browser, url: str) -> float:
    """Of a window that has nothing of the page yet."""
    page = browser.new_page()
    page.goto(url)
    page.locator("h1").wait_for()
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    page.close()
    return float(painted)


def measures(browser: Browser, url: str, newcomer_s: float) -> str:
    """What the page weighs, and how fast it is there."""
    painted_ms = median(first_paint_ms(browser, url) for _ in range(PAINTS))
    page = browser.new_page()
    page.goto(url)
    page.locator("h1").wait_for()
    loaded = page.evaluate(
        "[performance.getEntriesByType('navigation')[0], ...performance.getEntriesByType('resource')]"
        ".reduce((sum, file) => sum + file.decodedBodySize, 0)"
    )
    whole = sum(path.stat().st_size for path in STATIC.rglob("*") if path.is_file())
    today, load, chromium = datetime.now(UTC), os.getloadavg()[0], browser.version.partition(".")[0]
    return (
        f"Measured on {today:%Y-%m-%d} with `python docs/screenshots.py`, Chromium {chromium} and the "
        f"service on one machine (load average {load:.1f}): all files together have {whole / 1000:.0f} kB, "
        f"without any library. The first view loads {loaded / 1000:.0f} kB and is painted after "
        f"{painted_ms / 1000:.1f} s, the median of {PAINTS}. From opening the page to a conversation with "
        f"both names, the clicks of the script take {newcomer_s:.0f} s."
    )


def main(url: str) -> None:
    binary = shutil.which("chromium") or sys.exit("chromium is not installed: apt-get install chromium")
    require_empty(url)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        voice = Path(folder, "voice.wav")
        samples, rate = soundfile.read(AUDIO / "1998/1998-15444-0005.opus")
        soundfile.write(voice, samples, rate, subtype="PCM_16")
        browser = playwright.chromium.launch(
            executable_path=binary,
            args=[
                "--no-sandbox",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                f"--use-file-for-fake-audio-capture={voice}",
            ],
        )
        newcomer_s = newcomer(browser, url)
        text = measures(browser, url, newcomer_s)
        print(text)
        enrol(url)
        draw(browser, url)
        browser.close()
    page = TEXT.read_text()
    pattern = r"(<!-- measures.*? -->\n\n).*?(\n\n<!-- end of measures -->)"
    TEXT.write_text(re.sub(pattern, lambda match: match[1] + text + match[2], page, flags=re.DOTALL))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
