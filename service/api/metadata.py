"""The metadata of a speaker: a JSON object of the caller's."""

from __future__ import annotations

import json
from typing import Annotated

import pydantic_core
from pydantic import AfterValidator, BeforeValidator, JsonValue

from service.speakers.archive import MAX_METADATA_CHARS

_Object = dict[str, JsonValue]


def _parse_metadata(text: object) -> object:
    if not isinstance(text, str):
        return text
    if len(text) > MAX_METADATA_CHARS:
        raise ValueError(f"must be at most {MAX_METADATA_CHARS} characters of JSON")
    try:
        value = pydantic_core.from_json(text, allow_inf_nan=False)
        json.dumps(value, allow_nan=False)  # refuses what could not be sent back, such as 1e999
    except ValueError as error:
        raise ValueError(f"must be JSON: {error}") from None
    return value


def _require_short(metadata: _Object) -> _Object:
    if len(json.dumps(metadata, ensure_ascii=False)) > MAX_METADATA_CHARS:
        raise ValueError(f"must be at most {MAX_METADATA_CHARS} characters of JSON")
    return metadata


#: As it comes in a form, as text.
FormMetadata = Annotated[_Object, BeforeValidator(_parse_metadata)]
#: As it comes in a JSON body.
Metadata = Annotated[_Object, AfterValidator(_require_short)]
