"""The playground in a real browser. The tests run in this order, and go on from what the ones before did."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.service.conftest import RunningService

PANELS = ("enrol", "identify")
SERIOUS = ("serious", "critical")

expect.set_options(timeout=30_000)


def panel(page: Page, name: str) -> Locator:
    """Opens a panel by its tab."""
    page.locator(f"nav a[href='#{name}']").click()
    return page.locator(f"section.{name}")


def enrol_example(page: Page, reader: str) -> None:
    enrol = panel(page, "enrol")
    enrol.get_by_role("button", name=reader, exact=True).click()
    enrol.get_by_label("This person agrees").check()
    enrol.get_by_role("button", name="Enrol", exact=True).click()
    expect(enrol.get_by_text(f"{reader} is enrolled")).to_be_visible()


def test_enrols_from_the_microphone(page: Page, playground: RunningService) -> None:
    enrol = panel(page, "enrol")
    enrol.get_by_role("button", name="Record").click()
    expect(enrol.locator(".ring.enough")).to_be_visible()
    enrol.get_by_role("button", name="Stop").click()
    expect(enrol.locator(".take .facts")).to_contain_text("opus")
    enrol.get_by_label("Name").fill("Bea")
    enrol.get_by_role("button", name="Enrol", exact=True).click()  # the consent is missing
    assert enrol.get_by_label("This person agrees").evaluate("box => box.matches(':invalid')")
    with playground.client() as http:
        assert http.get("/speakers").json()["total"] == 0
    enrol.get_by_label("This person agrees").check()
    enrol.get_by_role("button", name="Enrol", exact=True).click()
    expect(enrol.get_by_text("Bea is enrolled")).to_be_visible()
    with playground.client() as http:
        (speaker,) = http.get("/speakers").json()["speakers"]
    assert speaker["name"] == "Bea"
    assert not speaker["audio_retained"]


def test_identifies_and_leaves_a_stranger_without_a_name(page: Page) -> None:
    enrol_example(page, "Dan")
    identify = panel(page, "identify")
    identify.get_by_role("button", name="Dan", exact=True).click()
    expect(identify.locator(".verdict")).to_have_text("This is Dan")
    expect(identify.get_by_role("row")).to_have_count(3)  # the head, Dan, Bea
    identify.get_by_role("button", name="a stranger").click()
    expect(identify.locator(".verdict")).to_have_text("Nobody who is enrolled")
    identify.get_by_role("slider").press("Home")
    expect(identify.get_by_text("About 1 of 1,000 strangers")).to_be_visible()
    expect(identify.locator(".code pre")).to_contain_text("-F target_fpr=0.001")
    identify.get_by_role("button", name="Python").click()
    expect(identify.locator(".code pre")).to_contain_text('client.post("/identify"')


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_nothing_serious(page: Page, colours: str) -> None:
    page.emulate_media(color_scheme=colours, reduced_motion="reduce")
    for name in PANELS:
        expect(panel(page, name)).to_be_visible()
        violations = Axe().run(page).response["violations"]
        assert [v["id"] for v in violations if v["impact"] in SERIOUS] == [], (name, violations)


def test_a_narrow_screen_scrolls_in_one_direction(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    for name in PANELS:
        expect(panel(page, name)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_speaks_german(page: Page) -> None:
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Eine Stimme anmelden")
    assert page.evaluate("document.documentElement.lang") == "de"
    page.get_by_role("button", name="English").click()


@pytest.mark.parametrize("kind", ["audio/webm", "audio/mp4"])
def test_a_media_recorder_s_file_is_embedded(page: Page, kind: str) -> None:
    """Issue "Every file that people have": a page sends what it recorded as the body of POST /embed."""
    answer = page.evaluate(
        """async (mimeType) => {
            const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
            const recorder = new MediaRecorder(stream, { mimeType });
            const ended = new Promise((resolve) => (recorder.ondataavailable = resolve));
            recorder.start();
            await new Promise((resolve) => setTimeout(resolve, 1500));
            recorder.stop();
            const { data } = await ended;
            for (const track of stream.getTracks()) track.stop();
            const headers = { "Content-Type": data.type };
            return (await fetch("embed", { method: "POST", headers, body: data })).json();
        }""",
        kind,
    )
    (result,) = answer["results"]
    assert result["audio"]["codec"] == "opus"
    assert result["duration_s"] == pytest.approx(1.5, abs=0.5)
    assert len(result["embedding"]) == answer["dim"]
