"""The playground in a real browser. The tests run in this order, and go on from what the ones before did."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Literal

import httpx
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Locator, Page, expect

from tests.service.page.conftest import KEY

PANELS = ("enrol", "identify", "conversation", "live", "gallery", "finetune", "generate", "status")
EXAMPLES = Path(__file__).parents[3] / "examples"
MARKUP = "<b onclick=alert(1)>Ann</b>"  # a name, shown as it is
SERIOUS = ("serious", "critical")

# Whether a canvas has a pixel that is clearly red.
RED_PIXELS = """canvas => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] > 128 && data[i] > 150 && data[i + 1] < 80 && data[i + 2] < 80) return true;
    }
    return false;
}"""
# The microphone is made louder or softer by a factor, until the override is deleted.
MICROPHONE_WITH_GAIN = """gain => {
    const open = MediaDevices.prototype.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (constraints) => {
        const context = new AudioContext();
        const out = context.createMediaStreamDestination();
        const amplifier = new GainNode(context, { gain });
        context.createMediaStreamSource(await open(constraints)).connect(amplifier).connect(out);
        return out.stream;
    };
}"""
# The service as it is in the middle of a training, until `endTraining()`.
TRAINING_JOB = """state => {
    const ask = window.fetch;
    const events = new ReadableStream({
        start(stream) {
            stream.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(state)}\\n\\n`));
            window.endTraining = () => { stream.close(); window.fetch = ask; };
        },
    });
    window.fetch = async (url, request) => {
        if (request?.method === "POST") return Response.json({ job_id: "training" });
        return String(url).endsWith("/training/events") ? new Response(events) : ask(url, request);
    };
}"""
# A file of examples/ as what a person drags into the page.
DRAGGED = """async (path) => {
    const audio = await (await fetch(`page/examples/${path}`)).blob();
    const dragged = new DataTransfer();
    dragged.items.add(new File([audio], path.split("/").pop()));
    return dragged;
}"""
JOB_MS = 120_000  # a worker starts for it

expect.set_options(timeout=30_000)


def panel(page: Page, name: str) -> Locator:
    """Opens a panel by its tab."""
    page.locator(f"nav a[href='#{name}']").click()
    return page.locator(f"section.{name}")


def enrol_example(page: Page, reader: str, *, retain: bool = False) -> None:
    enrol = panel(page, "enrol")
    enrol.get_by_role("button", name=reader, exact=True).click()
    enrol.get_by_role("switch").set_checked(retain)
    enrol.get_by_label("This person agrees").check()
    enrol.get_by_role("button", name="Enrol", exact=True).click()
    expect(enrol.get_by_text(f"{reader} is enrolled")).to_be_visible()


def test_asks_for_a_key(page: Page) -> None:
    gallery = panel(page, "gallery")
    expect(gallery.get_by_text("This service needs an API key: send the header")).to_have_count(2)
    page.get_by_label("This service needs an API key").fill(KEY)
    page.get_by_role("button", name="Use key").click()
    expect(gallery.get_by_text("Nobody is enrolled yet.")).to_be_visible()
    expect(gallery.locator(".code pre")).to_contain_text('curl -H "Authorization: Bearer $KEY"')
    assert KEY not in page.content()
    assert page.evaluate("JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie") == "{}"


def test_enrols_from_the_microphone(page: Page, api: httpx.Client) -> None:
    enrol = panel(page, "enrol")
    enrol.get_by_role("button", name="Record").click()
    expect(enrol.locator(".meter-fill")).to_have_attribute("style", re.compile(r"--level: 0\.[1-9]"))
    expect(enrol.locator(".ring.enough")).to_be_visible()
    enrol.get_by_role("button", name="Stop").click()
    expect(enrol.locator(".take .facts")).to_contain_text("opus")
    enrol.get_by_label("Name").fill("Bea")
    enrol.get_by_role("button", name="Enrol", exact=True).click()  # the consent is missing
    assert enrol.get_by_label("This person agrees").evaluate("box => box.matches(':invalid')")
    assert api.get("/speakers").json()["total"] == 0
    enrol.get_by_label("This person agrees").check()
    enrol.get_by_role("button", name="Enrol", exact=True).click()
    expect(enrol.get_by_text("Bea is enrolled")).to_be_visible()
    (speaker,) = api.get("/speakers").json()["speakers"]
    assert speaker["name"] == "Bea"
    assert speaker["consent"]["text"] == "This person agrees that the voiceprint is stored."
    assert not speaker["audio_retained"]


@pytest.mark.parametrize(("gain", "hint"), [(0.005, "That is very quiet"), (4, "the recording is clipped")])
def test_says_what_is_wrong_with_the_level(page: Page, gain: float, hint: str) -> None:
    page.evaluate(MICROPHONE_WITH_GAIN, gain)
    enrol = panel(page, "enrol")
    enrol.get_by_role("button", name="Record").click()
    expect(enrol.get_by_text(hint)).to_be_visible()
    enrol.get_by_role("button", name="Stop").click()
    enrol.get_by_role("button", name="Remove recording").click()
    page.evaluate("delete navigator.mediaDevices.getUserMedia")


def test_shows_where_another_voice_is_heard(page: Page) -> None:
    enrol = panel(page, "enrol")
    files = [EXAMPLES / name for name in ("audio/1998/1998-15444-0005.opus", "conversations/1998-3005.opus")]
    enrol.locator("input[type=file]").set_input_files(files)
    expect(enrol.locator(".take .facts")).to_have_count(2)
    alone, conversation = enrol.locator(".take").all()
    expect(alone.get_by_text("Another voice")).to_have_count(0)
    expect(conversation.get_by_text("Another voice is heard here (red)")).to_be_visible()
    for take, has_red in ((alone, False), (conversation, True)):
        for canvas in take.locator("canvas").all():  # waveform and spectrogram
            assert canvas.evaluate(RED_PIXELS) == has_red
    for file in files:
        enrol.get_by_role("button", name=f"Remove {file.name}").click()


def test_identifies_and_leaves_a_stranger_without_a_name(page: Page) -> None:
    enrol_example(page, "Dan", retain=True)
    identify = panel(page, "identify")
    identify.get_by_role("button", name="Dan", exact=True).click()
    expect(identify.locator(".verdict")).to_have_text("This is Dan")
    expect(identify.get_by_role("row")).to_have_count(3)  # the head, Dan, Bea
    stranger = page.evaluate_handle(DRAGGED, "audio/367/367-130732-0002.opus")
    identify.locator(".source").dispatch_event("drop", {"dataTransfer": stranger})
    expect(identify.locator(".verdict")).to_have_text("Nobody who is enrolled")
    expect(identify.get_by_text("The background is loud")).to_be_visible()
    identify.get_by_role("slider").press("Home")
    expect(identify.get_by_text("About 1 of 1,000 strangers")).to_be_visible()
    expect(identify.locator(".code pre")).to_contain_text("-F target_fpr=0.001")


def test_the_lines_below_do_what_the_page_did(page: Page) -> None:
    identify = panel(page, "identify")
    identify.get_by_role("button", name="Dan", exact=True).click()
    expect(identify.locator(".verdict")).to_have_text("This is Dan")
    folder = EXAMPLES / "audio/3005"  # of the recording
    for language, program in (("curl", ["bash", "-c"]), ("Python", [sys.executable, "-c"])):
        identify.get_by_role("button", name=language).click()
        lines = identify.locator(".code pre").inner_text()
        answer = subprocess.run(
            [*program, lines],
            cwd=folder,
            env=os.environ | {"KEY": KEY},
            capture_output=True,
            text=True,
            check=True,
        )
        assert "'name': 'Dan'" in answer.stdout.replace('"', "'").replace(":'", ": '"), answer


def test_says_who_spoke_when_and_enrols_an_unknown_voice(page: Page) -> None:
    conversation = panel(page, "conversation")
    conversation.get_by_role("button", name="Ann, Carl").click()
    lanes = conversation.locator(".lane-head")
    expect(lanes).to_have_text([re.compile("^unknown 1"), re.compile("^unknown 2")])
    lanes.first.get_by_role("button", name="Enrol as").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Ann")
    dialog.get_by_label("This person agrees").check()
    dialog.get_by_role("button", name="Enrol", exact=True).click()
    expect(lanes).to_have_text([re.compile("^Ann"), re.compile("^unknown 1")])
    conversation.locator(".bar").first.click()
    expect(conversation.get_by_role("button", name="Stop")).to_be_visible()  # it plays
    with page.expect_download() as saved:
        conversation.get_by_role("button", name="Save as RTTM").click()
    assert saved.value.suggested_filename == "2414-367.rttm"
    assert saved.value.path().read_text().startswith("SPEAKER recording 1 0.")
    expect(conversation.locator(".code pre")).to_contain_text("-H 'Accept: text/plain'")


def test_a_long_recording_is_listened_to_in_the_background(page: Page) -> None:
    set_limit = "seconds => import('./page/facts.js').then(({ facts }) => { facts.max_s = seconds; })"
    page.evaluate(set_limit, 5)
    conversation = panel(page, "conversation")
    conversation.get_by_role("button", name="Ann, Carl").click()
    expect(conversation.locator(".code pre")).to_contain_text("-F background=true")
    lanes = conversation.locator(".lane-head")
    expect(lanes).to_have_text([re.compile("^Ann"), re.compile("^unknown")])
    lanes.last.get_by_role("button", name="Enrol as").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Carl")
    dialog.get_by_label("This person agrees").check()
    dialog.get_by_role("button", name="Enrol", exact=True).click()
    expect(lanes).to_have_text([re.compile("^Ann"), re.compile("^Carl")])
    expect(conversation.locator(".code pre")).to_contain_text("-F from_job=")
    page.evaluate(set_limit, 600)


def test_names_who_speaks_while_they_speak(page: Page) -> None:
    live = panel(page, "live")
    live.get_by_role("button", name="Listen").click()
    expect(live.locator(".now strong")).to_have_text("Bea")
    live.get_by_role("button", name="Stop").click()
    expect(live.locator(".lane-head")).to_have_text(re.compile("^Bea"))
    expect(live.locator(".now strong")).to_have_text("Not listening")


def test_the_gallery_renames_and_plays_what_was_kept(page: Page, api: httpx.Client) -> None:
    gallery = panel(page, "gallery")
    expect(gallery.get_by_role("img", name="A map of 4 voices")).to_be_visible()
    gallery.get_by_role("button", name="Rename Ann").click()
    rename = page.get_by_role("dialog", name="Rename Ann")
    rename.get_by_label("Name").fill(MARKUP)
    rename.get_by_role("button", name="Rename").click()
    expect(gallery.get_by_role("rowheader", name=MARKUP)).to_be_visible()
    speakers = api.get("/speakers").json()["speakers"]
    assert {speaker["name"] for speaker in speakers} == {MARKUP, "Bea", "Carl", "Dan"}
    assert all(speaker["consent"] for speaker in speakers)
    assert gallery.get_by_role("button", name="Play what was kept of").count() == 1
    gallery.get_by_role("button", name="Play what was kept of Dan").click()
    dialog = page.get_by_role("dialog", name="What was kept of Dan")
    dialog.get_by_role("button", name="Play").click()
    dialog.get_by_role("button", name="Stop").click()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()


def test_voices_without_audio_are_stale_under_another_model(page: Page, api: httpx.Client) -> None:
    serving = api.get("/models").json()["model"]
    tuning = panel(page, "finetune")
    tuning.get_by_role("button", name="Activate barlow_twins/").first.click()
    expect(tuning.locator(".answer .facts").first).to_have_text("Embedded again1Mapped0Kept0Stale3")
    gallery = panel(page, "gallery")
    expect(gallery.get_by_role("row", name="stale")).to_have_count(3)
    panel(page, "finetune").get_by_role("button", name=f"Activate {serving}").click()
    expect(tuning.get_by_text(f"{serving} serves now")).to_be_visible()


def test_the_gallery_erases_after_a_question(page: Page, api: httpx.Client) -> None:
    gallery = panel(page, "gallery")
    gallery.get_by_role("button", name="Erase Dan").click()
    dialog = page.get_by_role("dialog", name="Erase Dan?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    gallery.get_by_role("button", name="Erase Dan").press("Enter")
    dialog.get_by_role("button", name="Erase", exact=True).press("Enter")
    expect(gallery.get_by_role("rowheader")).to_have_count(3)
    assert {speaker["name"] for speaker in api.get("/speakers").json()["speakers"]} == {MARKUP, "Bea", "Carl"}


def test_fine_tunes_and_rolls_back(page: Page, api: httpx.Client) -> None:
    before = api.get("/models").json()["model"]
    enrolled = api.get("/speakers").json()["total"]
    tuning = panel(page, "finetune")
    tuning.get_by_role("button", name="Add the examples").click()
    expect(tuning.get_by_text("12 recordings")).to_be_visible()
    tuning.get_by_role("button", name="Fine-tune").click()
    expect(tuning.get_by_role("img", name="Two maps")).to_be_visible(timeout=JOB_MS)
    tuning.get_by_role("button", name="Activate autodecompose/ft-").click()
    expect(tuning.get_by_text(re.compile("ft-.* serves now"))).to_be_visible()
    expect(tuning.locator(".answer .facts").first).to_contain_text(f"Mapped{enrolled}")  # no audio was kept
    expect(page.locator("#state")).to_contain_text("/ft-")
    tuning.get_by_role("button", name=f"Activate {before}").click()
    expect(tuning.get_by_text(f"{before} serves now")).to_be_visible()


def test_shows_progress_and_loss_of_a_training(page: Page) -> None:
    """Training takes torch and minutes: the events are made here. `tests/service/jobs/` has real ones."""
    page.evaluate(
        TRAINING_JOB, {"state": "running", "steps": 10, "progress": 0.4, "loss": 0.1234, "eta_s": 72}
    )
    tuning = panel(page, "finetune")
    tuning.get_by_role("button", name="Add the examples").click()
    tuning.get_by_role("spinbutton").fill("10")
    tuning.get_by_role("button", name="Fine-tune").click()
    expect(tuning.get_by_text("Running · loss 0.123 · 72 s left")).to_be_visible()
    assert tuning.get_by_role("progressbar").evaluate("bar => bar.value") == 0.4
    expect(tuning.get_by_role("button", name="Cancel")).to_be_visible()
    page.evaluate("endTraining()")
    expect(tuning.get_by_text("It goes on; the list of versions will show it.")).to_be_visible()


def test_generates_and_plays(page: Page) -> None:
    generate = panel(page, "generate")
    generate.get_by_role("button", name="seven").click()
    expect(generate.locator("figcaption")).to_have_text("seven seed 1")
    expect(generate.get_by_role("spinbutton")).to_have_value("2")
    expect(generate.get_by_text(re.compile("^gaae/.* speaks Arabic"))).to_be_visible()


def test_the_keyboard_reaches_everything(page: Page) -> None:
    enrol = panel(page, "enrol")
    page.get_by_role("link", name="To the content").press("Enter")  # the first thing that Tab comes to
    controls = enrol.locator("button:visible, input:visible:not([tabindex='-1']), pre").all()
    assert len(controls) > 8
    for control in controls:
        page.keyboard.press("Tab")
        expect(control).to_be_focused()


def test_axe_finds_nothing_serious(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(AXE_SCRIPT)
    schemes: dict[Literal["light", "dark"], dict[str, object]] = {
        "light": {"resultTypes": ["violations"]},
        "dark": {"runOnly": ["color-contrast"]},
    }
    for name in PANELS:
        expect(panel(page, name)).to_be_visible()
        expect(page.locator("[aria-busy]")).to_have_count(0)  # they are paler until the answer is there
        for scheme, options in schemes.items():
            page.emulate_media(color_scheme=scheme)
            violations = page.evaluate("options => axe.run(options)", options)["violations"]
            assert [v["id"] for v in violations if v["impact"] in SERIOUS] == [], (name, scheme, violations)
    page.emulate_media(color_scheme="light")


def test_a_narrow_screen_scrolls_in_one_direction(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    for name in PANELS:
        expect(panel(page, name)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.set_viewport_size({"width": 1280, "height": 900})


def test_speaks_german(page: Page) -> None:
    panel(page, "enrol")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Eine Stimme anmelden")
    assert page.evaluate("document.documentElement.lang") == "de"
    page.get_by_role("button", name="English").click()


def test_turns_dark_and_light(page: Page) -> None:
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate(paper) != light
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate(paper) == light


def test_a_media_recorder_s_files_are_embedded(page: Page) -> None:
    """Issue "Every file that people have": a page sends what it recorded as the body of POST /embed."""
    answers = page.evaluate(
        """async ([key, types]) => {
            const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
            const embedded = async (mimeType) => {
                const recorder = new MediaRecorder(stream, { mimeType });
                const ended = new Promise((resolve) => (recorder.ondataavailable = resolve));
                recorder.start();
                await new Promise((resolve) => setTimeout(resolve, 1500));
                recorder.stop();
                const { data } = await ended;
                const headers = { "Content-Type": data.type, Authorization: `Bearer ${key}` };
                return (await fetch("embed", { method: "POST", headers, body: data })).json();
            };
            const answers = await Promise.all(types.map(embedded));
            for (const track of stream.getTracks()) track.stop();
            return answers;
        }""",
        [KEY, ["audio/webm", "audio/mp4"]],
    )
    for answer in answers:
        (result,) = answer["results"]
        assert result["audio"]["codec"] == "opus"
        assert result["duration_s"] == pytest.approx(1.5, abs=0.7)
        assert len(result["embedding"]) == answer["dim"]
