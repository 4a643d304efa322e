from __future__ import annotations

from pathlib import Path

import pytest

from trainer.audio.folders import Clip, DataError
from trainer.downstream import FACTORS, speaker_factors


def clip(**labels: str) -> Clip:
    return Clip(Path("clip.opus"), "0007", labels=labels)


def test_factors_are_names_and_sixteen_is_adult() -> None:
    assert speaker_factors(clip(gender="f", age="16")) == ("0007", "f", "adult")
    assert speaker_factors(clip(gender="m", age="9")) == ("0007", "m", "child")
    assert len(FACTORS) == 3


@pytest.mark.parametrize("labels", [{"gender": "f"}, {"age": "9"}, {"gender": "f", "age": "young"}])
def test_a_clip_that_does_not_say_is_named(labels: dict[str, str]) -> None:
    with pytest.raises(DataError, match=r"clip\.opus needs a speaker, gender and age"):
        speaker_factors(clip(**labels))
