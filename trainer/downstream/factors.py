"""Identity, gender and age group of a speaker, for disentanglement (Barlow Twins for speech, Table 3)."""

from __future__ import annotations

from trainer.audio.folders import Clip, DataError

FACTORS = ("identity", "gender", "age group")  # the paper's third is accent, which our corpora do not name
ADULT_YEARS = 16


def speaker_factors(clip: Clip) -> tuple[str, str, str]:
    """The factors of a clip's speaker as names, in the order of `FACTORS`.

    Raises:
        DataError: metadata.tsv lacks the speaker, the gender, or the age in years.
    """
    gender, age = clip.labels.get("gender", ""), clip.labels.get("age", "")
    if not (clip.speaker and gender and age.isdecimal()):
        raise DataError(f"{clip.path} needs a speaker, gender and age in metadata.tsv.")
    return clip.speaker, gender, "adult" if int(age) >= ADULT_YEARS else "child"
