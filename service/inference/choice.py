"""Which model serves when a process starts: the one that served before, as long as it is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bundle.manifest import BundleError
from bundle.voice import VoiceBundle
from service.errors import NotFound

_DEFAULT_NAME = "autodecompose"
#: "<name>/<version>" → number of enrolled speakers with a voiceprint under it.
Enrolled = Callable[[], Mapping[str, int]]


@dataclass(frozen=True)
class Choice:
    """The model that starts."""

    bundle: VoiceBundle
    gone: str | None = None  # the model that served before, which this release no longer has


def choose(voices: Sequence[VoiceBundle], shipped: Path, recorded: str | None, enrolled: Enrolled) -> Choice:
    """The model that was activated last, else the one that most voices are enrolled under, else the default.

    A new release may bring another default. Voices of the old one would then not be recognised, so the old
    one goes on until somebody activates another.

    Args:
        voices: every voice model, oldest first.
        shipped: the folder of shipped models.
        recorded: what `ActiveModel.read` says.
        enrolled: read only where nothing is recorded, or a version without a name.

    Raises:
        BundleError: no model is shipped.
        NotFound: the recorded model is missing, and the default is no later version of it.
    """
    by_id = {bundle.id: bundle for bundle in voices}
    if recorded is not None:
        model = _identified(voices, recorded, enrolled)
        if model in by_id:
            return Choice(by_id[model])
        default = default_voice(voices, shipped)
        if not _is_later(default, model):
            raise NotFound(
                f"{model} was activated last and is not here. Restore its folder, or activate another model: "
                "GET /models lists them."
            )
        return Choice(default, gone=model)
    default = default_voice(voices, shipped)
    counts = enrolled()
    # On a tie the default, else the newest: max takes the first.
    candidates = [default, *reversed(voices)]
    return Choice(max(candidates, key=lambda bundle: counts.get(bundle.id, 0)))


def default_voice(voices: Sequence[VoiceBundle], shipped: Path) -> VoiceBundle:
    """The newest shipped autodecompose; where none is shipped, the newest of what is. Raises BundleError."""
    candidates = [bundle for bundle in voices if bundle.path.is_relative_to(shipped)]
    if (shipped / _DEFAULT_NAME).is_dir():  # also when none in it can be read: no surprises
        candidates = [bundle for bundle in candidates if bundle.name == _DEFAULT_NAME]
    if not candidates:
        raise BundleError(f"There is no voice model in {shipped}. Set TWOFOLD_MODELS_DIR.")
    return candidates[-1]


def _identified(voices: Sequence[VoiceBundle], recorded: str, enrolled: Enrolled) -> str:
    """The recorded model as name/version. Earlier releases recorded the version alone.

    Several models may have that version: voices are enrolled under the one that was meant.
    """
    if "/" in recorded:
        return recorded
    default = f"{_DEFAULT_NAME}/{recorded}"
    counts = enrolled()
    ids = [default, *(bundle.id for bundle in voices), *counts]
    named = {bundle.id for bundle in voices}
    same_version = [model for model in ids if model.rpartition("/")[2] == recorded]
    return max(same_version, key=lambda model: (counts.get(model, 0), model in named))


def _is_later(bundle: VoiceBundle, model: str) -> bool:
    """Whether `bundle` is a later version of `model`, so that a release may have replaced one by the other.

    A version that a job made has no number: it was never shipped, and only a lost folder can explain that
    it is missing. The same holds for a version of a later release.
    """
    name, _, version = model.partition("/")
    mine, gone = (text.split(".") for text in (bundle.version, version))
    numbered = all(part.isdecimal() for part in (*mine, *gone))
    return bundle.name == name and numbered and list(map(int, mine)) > list(map(int, gone))
