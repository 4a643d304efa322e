"""The file of an exported gallery: encrypted, cut into parts, and read back."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from service.client import ClientError, archive

LINES = ['{"format": "twofold-gallery"}', '{"speaker_id": "ann"}', '{"speaker_id": "bob"}', '{"end": 2}']
PASSPHRASE = "correct horse"


@pytest.fixture(scope="module")
def sealed() -> list[str]:
    return list(archive.sealed(LINES, PASSPHRASE))


def test_the_passphrase_opens_it_and_no_other(sealed: list[str]) -> None:
    assert archive.is_sealed(sealed[0])
    assert not archive.is_sealed(LINES[0])
    assert not any("ann" in line for line in sealed)
    assert list(archive.unsealed(sealed, PASSPHRASE)) == LINES
    with pytest.raises(ClientError, match="passphrase"):
        list(archive.unsealed(sealed, "correct horses"))
    with pytest.raises(ClientError, match="at least 8"):
        list(archive.sealed(LINES, "short"))


def test_no_line_can_be_moved_or_changed(sealed: list[str]) -> None:
    moved = [*sealed[:2], sealed[3], sealed[2], *sealed[4:]]
    changed = [*sealed[:2], "A" + sealed[2][1:] if sealed[2][0] != "A" else "B" + sealed[2][1:], *sealed[3:]]
    other_head = [sealed[0] + " ", *sealed[1:]]
    for damaged in (moved, changed, other_head):
        with pytest.raises(ClientError, match="changed after it was written"):
            list(archive.unsealed(damaged, PASSPHRASE))
    dear = [sealed[0].replace('"n": 65536', '"n": 1073741824'), *sealed[1:]]
    with pytest.raises(ClientError, match="newer Twofold, or is damaged"):
        list(archive.unsealed(dear, PASSPHRASE))


def test_a_large_gallery_is_sent_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_PART_SPEAKERS", 1)
    first, second = archive.parts_of(LINES)
    assert first.splitlines() == [*LINES[:2], '{"end": 1, "left_out": []}']
    assert second.splitlines() == [LINES[0], LINES[2], '{"end": 1, "left_out": []}']
    with pytest.raises(ClientError, match="cut off"):
        list(archive.parts_of(LINES[:-1]))


def test_only_its_owner_reads_the_file(tmp_path: Path) -> None:
    file = tmp_path / "voices"
    assert archive.write_lines(file, LINES) == 4
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(archive.read_lines(file)) == LINES
    with pytest.raises(ClientError, match="cannot be written"):
        archive.write_lines(tmp_path / "no" / "voices", LINES)
    assert list(tmp_path.iterdir()) == [file]
