"""The service speaks of calls and parameters. A command speaks of its own verbs and options."""

from __future__ import annotations

import re

_ARGUMENTS = {"label": "LABEL", "speaker_id": "ID", "version": "VERSION"}
_OPTIONS = (
    *("activate", "max_speakers", "metadata", "min_speakers", "n", "name", "num_speakers", "retain_audio"),
    *("collection", "same_voice_seconds", "seed", "steps", "store", "strict", "style", "target_fpr"),
    *("threshold", "top_k"),
)
_RULES = (
    (r"\bPOST /speakers/(\S+?)/audio\b", r"`twofold enrol \1 FILE --add`"),
    (r"\bPOST /speakers\b(?!/)", "`twofold enrol`"),
    (r"\bPOST /models/(\S+)/activate\b", r"`twofold models --activate \1`"),
    (r"\bGET /speakers\b(?!/)", "`twofold speakers`"),
    (r"\bGET /models\b(?!/)", "`twofold models`"),
    (r"\bGET /finetune\b(?!/)", "`twofold jobs`"),
    (r"\bGET /thresholds\b", "`twofold thresholds`"),
    (r"\berase the speaker first\b", "erase the speaker first with `twofold delete`"),
    (r"\bsend the header 'Authorization: Bearer KEY'", "give --key KEY, or set TWOFOLD_API_KEYS"),
    (r"^A key has", "--key: a key has"),
    (r"\bask for steps=0", "leave out --steps"),
    (r"\bbackground=true\b", "--background"),
    (r"\bstrict=true\b", "--strict"),
    (r"\bretain_audio=true\b", "--retain-audio"),
)


def in_words_of_the_command(message: str) -> str:
    """An error of the service, for somebody who typed a command."""
    for pattern, words in _RULES:
        message = re.sub(pattern, words, message)
    return re.sub(r"^parameters\.(\w+)", _parameter, message)


def _parameter(match: re.Match[str]) -> str:
    name = match[1]
    if name in _OPTIONS:
        return f"--{name.replace('_', '-')}"
    return _ARGUMENTS.get(name, name)
