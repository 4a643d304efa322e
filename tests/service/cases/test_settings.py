"""C2, C12 and C14: settings that would leave the service open, or shut for everybody."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from pydantic import ValidationError
from typer.testing import CliRunner

from service.cli import app
from service.misspelt import MisspeltSetting, warnings
from service.settings import Settings


def serve(**variables: str) -> Result:
    """`serve` on a port that does not exist: what it says of the variables comes first."""
    return CliRunner().invoke(app, ["serve", "--port", "70000"], env=variables)


@pytest.mark.parametrize(
    "key", ["sésame-ouvre-toi-1", "schlüssel" * 2, "a key with spaces", "tab\tin-the-middle"]
)
def test_c12_a_key_that_fits_no_header_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match="ASCII"):
        Settings(api_keys=f"0123456789abcdef,{key}")


def test_c12_the_command_line_says_so_too() -> None:
    result = CliRunner().invoke(app, ["speakers", "--key", "sésame"])
    assert result.exit_code == 2
    assert "--key" in result.stderr
    assert isinstance(result.exception, SystemExit)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("TWOFOLD_API_KEY", "TWOFOLD_API_KEYS"),
        ("twofold_api_key", "TWOFOLD_API_KEYS"),
        ("TWOFOLD_APIKEYS", "TWOFOLD_API_KEYS"),
        ("TWOFOLD_AUDIO_KEYS", "TWOFOLD_AUDIO_KEY"),
        ("TWOFOLD_TRUSTED_HOST", "TWOFOLD_TRUSTED_HOSTS"),
        ("TWOFOLD_CORS_ORIGIN", "TWOFOLD_CORS_ORIGINS"),
        ("TWOFOLD_KEY", ""),
    ],
)
def test_c14_a_near_miss_of_a_security_setting_is_refused(name: str, meant: str) -> None:
    with pytest.raises(MisspeltSetting) as refused:
        warnings([name])
    assert name.upper() in str(refused.value)
    assert meant in str(refused.value)


def test_c14_other_unknown_names_are_named() -> None:
    sentences = warnings(["TWOFOLD_MAX_BYTE", "TWOFOLD_COLOUR", "TWOFOLD_PORT", "TWOFOLD_DATA", "PATH"])
    assert len(sentences) == 2
    assert "TWOFOLD_COLOUR" in sentences[0]
    assert "Did you mean TWOFOLD_MAX_BYTES?" in sentences[1]


def test_c14_the_service_does_not_start_open() -> None:
    refused = serve(TWOFOLD_API_KEY="secret")
    assert refused.exit_code == 2
    assert "Did you mean TWOFOLD_API_KEYS?" in refused.stderr
    assert "TWOFOLD_PORT" not in refused.stderr
    assert "warning: TWOFOLD_PROT" in serve(TWOFOLD_PROT="1").stderr


def test_c14_a_dotenv_file_is_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("TWOFOLD_API_KEY=secret\n")
    monkeypatch.chdir(tmp_path)
    refused = serve()
    assert refused.exit_code == 2
    assert "Did you mean TWOFOLD_API_KEYS?" in refused.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_c2_another_address_needs_keys_or_a_word(host: str) -> None:
    result = CliRunner().invoke(app, ["serve", "--host", host], env={"TWOFOLD_INSECURE": ""})
    assert result.exit_code == 2
    assert "TWOFOLD_API_KEYS" in result.stderr
    assert "TWOFOLD_INSECURE" in result.stderr


def test_c2_settings_are_checked() -> None:
    for wrong in ({"cors_origins": "app.example"}, {"trusted_proxies": "proxy"}, {"root_path": "twofold"}):
        with pytest.raises(ValidationError, match=r"origin|network|pattern"):
            Settings(**wrong)
