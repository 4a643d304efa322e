"""Settings and their documentation."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from service.settings import Settings
from service.settings.page import markdown_page

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_page_lists_every_setting_as_it_is() -> None:
    assert PAGE.read_text() == markdown_page() + "\n", "run `python -m service settings > docs/settings.md`"


@pytest.mark.parametrize("name", [n for n in Settings.model_fields if n.endswith(("_s", "seconds", "bytes"))])
def test_quantities_say_their_unit(name: str) -> None:
    description = Settings.model_fields[name].description or ""
    assert any(unit in description for unit in (" in seconds", " in bytes"))


def test_variables_and_a_dotenv_file_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("TWOFOLD_PORT=9000\nTWOFOLD_HOST=::1\nTWOFOLD_DATA=/somewhere\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TWOFOLD_PORT", "9001")
    settings = Settings()
    assert (settings.host, settings.port) == ("::1", 9001)


def test_keys_are_split_hidden_and_not_too_short() -> None:
    first, second = "a" * 16, "b" * 20
    settings = Settings(api_keys=f" {first},{second} ,")
    assert settings.keys == (first, second)
    assert first not in repr(settings)
    with pytest.raises(ValidationError, match="at least 16 characters"):
        Settings(api_keys="secret")


def test_a_redis_url_is_hidden_and_checked() -> None:
    assert not Settings(redis_url="").redis_url
    assert "secret" not in repr(Settings(redis_url="redis://:secret@127.0.0.1:6379/0"))
    with pytest.raises(ValidationError, match="redis://"):
        Settings(redis_url="127.0.0.1:6379")


def test_audio_keys_are_hidden_and_checked() -> None:
    keys = ["A" * 43 + "=", "_-" * 21 + "A="]
    settings = Settings(audio_key=", ".join(keys))
    assert list(settings.audio_keys) == keys
    assert keys[1] not in repr(settings)
    for bad in ("short", "A" * 44, "not base64"):
        with pytest.raises(ValidationError, match="openssl rand"):
            Settings(audio_key=bad)


def test_a_bad_value_is_an_error_of_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "service", "serve", "--port", "70000"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: TWOFOLD_PORT: ")
    assert len(done.stderr.splitlines()) == 1
