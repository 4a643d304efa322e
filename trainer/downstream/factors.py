"""What is true of a speaker, for the disentanglement measures (Barlow Twins for speech, Table 3)."""

from __future__ import annotations

from trainer.audio.folders import Clip, DataError

FACTORS = ("identity", "gender", "age group")  # for accent, which our corpora do not name, the last one
ADULT_YEARS = 16


def speaker_factors(clip: Clip) -> tuple[str, str, str]:
    """Names, in the order of `FACTORS`.

    Raises:
        DataError: the corpus does not say the speaker's gender, or age in years.
    """
    gender, age = clip.labels.get("gender", ""), clip.labels.get("age", "")
    if not (clip.speaker and gender and age.isdecimal()):
        raise DataError(f"{clip.path} needs a speaker, gender and age in metadata.tsv.")
    return clip.speaker, gender, "adult" if int(age) >= ADULT_YEARS else "child"
