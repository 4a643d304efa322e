"""From a crop's frames to one vector, both ways: flattened, or mean and deviation over time.

The paper does not say which it takes. Its Tests 8 and 9, where E_c hardly knows the voice, depend on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bundle.arrays import Float32
from trainer.bundles.runner import BundleRunner
from trainer.pages.blocks import table
from trainer.reproduce.autodecompose.features import frame_encoder
from trainer.reproduce.autodecompose.material import SETS
from trainer.reproduce.autodecompose.measures import voice_figures
from trainer.reproduce.autodecompose.settings import OBJECTIVES, Variant
from trainer.reproduce.autodecompose.trainings import SHOT_S, AutodecomposeRuns
from trainer.scoring.embedding import CropEncoder

WAYS = ("flattened", "pooled")
MEASURED_ON = ("strangers", "test-other")


@dataclass(frozen=True)
class Source:
    """Something that makes frames of crops: voice and content, where it has both.

    Attributes:
        name: in the table, and in stored figures.
        E_s, E_c: give the encoder, (n, 16384) → (n, 64, width); E_s of a bundle gives (n, dim), one vector.
    """

    name: str
    E_s: Callable[[], CropEncoder]
    E_c: Callable[[], CropEncoder] | None = None


def vectors(runs: AutodecomposeRuns, bundle: Path) -> str:
    """`bundle`: the shipped model."""
    parts = [
        "## From a crop to a vector, both ways",
        f"Macro F1 in % from {SHOT_S} s a speaker, {runs.scale.draws} draws. *Flattened*: the 64 frames "
        "side by side. *Pooled*: their mean and deviation over time, as in the tables above. *No network*: "
        "the mel features. *Untrained*: random weights. A bundle's E_s gives one vector, so there is "
        "only one way. The paper has 25.1 for its E_c in Test 8 and 22.7 in Test 9.",
    ]
    for labelled in MEASURED_ON:
        rows, above = [], []
        for source in sources(runs, bundle):
            by_encoder = {}
            for which, get in (("E_s", source.E_s), ("E_c", source.E_c)):
                if get is None:
                    continue
                figures = by_encoder[which] = _figures(runs, source.name, which, get, labelled)
                known = which if source.E_c is not None else "mel"
                rows.append([source.name, known, *(_cell(figures.get(way)) for way in WAYS)])
            above += [f"{source.name}, {way}" for way in WAYS if _content_ahead(by_encoder, way)]
        parts += [
            f"### On `{labelled}`: {SETS[labelled]}",
            table(["", "of", *WAYS], rows),
            f"E_c is above E_s: {'; '.join(above) or 'nowhere'}.",
        ]
    missing = [v.name for v in _variants() if not runs.run(v.name).checkpoint.is_file()]
    if missing:
        parts.append(f"Not trained in this folder, so not here: {', '.join(missing)}.")
    return "\n\n".join(parts)


def sources(runs: AutodecomposeRuns, bundle: Path) -> list[Source]:
    """The floors, the trainings of Table II that there are, and the shipped model. Nothing is trained."""
    untrained = runs.untrained()
    shipped = BundleRunner.load(bundle, threads=1)
    of_trainings = [
        Source(variant.name, partial(_of, runs, variant, "E_s"), partial(_of, runs, variant, "E_c"))
        for variant in _variants()
        if runs.run(variant.name).checkpoint.is_file()
    ]
    return [
        Source("no network", lambda: frame_encoder(untrained, "mel")),
        Source("untrained", lambda: frame_encoder(untrained, "E_s"), lambda: frame_encoder(untrained, "E_c")),
        *of_trainings,
        Source(shipped.id, lambda: shipped.embed, lambda: shipped.content),
    ]


def pooled(frames: Float32) -> Float32:
    """Frames (n, time, width) → mean and deviation over time (n, 2 · width); vectors (n, dim) as they are."""
    if frames.ndim == 2:
        return frames
    vectors_: Float32 = np.concatenate([frames.mean(axis=1), frames.std(axis=1)], axis=1)
    return vectors_


def flattened(frames: Float32) -> Float32:
    """Frames (n, time, width) → (n, time · width)."""
    return frames.reshape(len(frames), -1)


def _variants() -> list[Variant]:
    return [Variant(objective, source) for objective in OBJECTIVES for source in ("home", "elsewhere")]


def _of(runs: AutodecomposeRuns, variant: Variant, which: str) -> CropEncoder:
    return frame_encoder(runs.model(variant), which)


def _figures(
    runs: AutodecomposeRuns, name: str, which: str, get: Callable[[], CropEncoder], labelled: str
) -> dict[str, Any]:
    def compute() -> dict[str, Any]:
        encode, clips = get(), runs.clips(labelled)
        one_vector = encode(np.zeros((1, 16384), dtype=np.float32)).ndim == 2
        ways = {"pooled": pooled} if one_vector else {"flattened": flattened, "pooled": pooled}
        return {
            way: voice_figures(
                clips,
                lambda crops, then=then: then(encode(crops)),  # type: ignore[misc]
                draws=runs.scale.draws,
                standardise=True,
                seconds=(SHOT_S,),
            )["few_shot"]["10"]
            for way, then in ways.items()
        }

    return runs.figures(f"vectors/{name.replace('/', '-').replace(' ', '-')}-{which}-on-{labelled}", compute)


def _content_ahead(by_encoder: Mapping[str, Mapping[str, Any]], way: str) -> bool:
    """Does E_c tell voices better than E_s, which should be the one that knows them?"""
    voice, content = (by_encoder.get(which, {}).get(way) for which in ("E_s", "E_c"))
    return voice is not None and content is not None and content["f1"] > voice["f1"]


def _cell(shot: Mapping[str, float] | None) -> str:
    return "–" if shot is None else f"{shot['f1']:.1f} ± {shot['std']:.1f}"
