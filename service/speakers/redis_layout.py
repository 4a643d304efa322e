"""How voices are stored in Redis: keys, formats, and the scripts that change them, each all or nothing."""

from __future__ import annotations

import json
import math
import struct
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any

import numpy as np

from service.speakers.records import Consent, Embedding, Measures, Speaker, Utterance
from service.stores.redis import ACTIVE_MODEL, ANNOUNCE, CHANGES, PREFIX

# Keys. A speaker is one hash, so that reading or erasing it is one step:
#   speaker                      JSON: name, metadata, created_at, collections, consent (JSON in a string)
#   utterance:<number>           JSON: speech_s, snr_db, created_at, retained, measures
#   recording:<number>           its number among the speaker's; older records have none, which counts them
#   embedding:<number>:<model>   _HEADER, then the mean as float32, little-endian
SPEAKERS = f"{PREFIX}speakers"  # sorted set of all ids, all with score 0: sorted by their bytes
NUMBERS = f"{PREFIX}utterances"  # counter: no two utterances ever get the same number
COLLECTIONS = f"{PREFIX}collections"  # hash: id → JSON list, of the speakers that are in any collection
AUDIO = f"{PREFIX}audio:"  # + number: a retained recording
ERASURES = f"{PREFIX}erasures"  # hash: erasure id → JSON; it has the speaker_id until jobs are clean
_HEADER = struct.Struct("<didd")  # when it was made (s since 1970), n_crops, cohesion, map_error (NaN: none)

_JOIN = f"""
local function join(id, collections)
  if collections == '[]' then
    redis.call('HDEL', '{COLLECTIONS}', id)
  else
    redis.call('HSET', '{COLLECTIONS}', id, collections)
  end
end
"""

STORE = f"""{ANNOUNCE}{_JOIN}
local speaker, id, header = KEYS[1], ARGV[1], ARGV[2]  -- an empty header adds to an enrolment
local collections, most, first, ending = ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local active = redis.call('GET', '{ACTIVE_MODEL}')
for i = 7, #ARGV, 4 do
  if active and ARGV[i] ~= active then return 'switched' end
end
local known = redis.call('EXISTS', speaker) == 1
if header == '' then
  if not known then return 'unknown' end
else
  if known then return 'taken' end
  if most > 0 and redis.call('ZLEXCOUNT', '{SPEAKERS}', '(' .. first, '(' .. ending) >= most then
    return 'full'
  end
  redis.call('HSET', speaker, 'speaker', header)
  join(id, collections)
  redis.call('ZADD', '{SPEAKERS}', 0, id)
end
local last = 0  -- number of the speaker's recordings
local counted = 0
local fields = redis.call('HGETALL', speaker)
for i = 1, #fields, 2 do
  if string.match(fields[i], '^utterance:') then counted = counted + 1 end
  if string.match(fields[i], '^recording:') then last = math.max(last, tonumber(fields[i + 1])) end
end
last = math.max(last, counted)
for i = 7, #ARGV, 4 do
  local model, utterance, embedding, audio = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local number = string.format('%.0f', redis.call('INCR', '{NUMBERS}'))
  last = last + 1
  redis.call('HSET', speaker, 'utterance:' .. number, utterance, 'recording:' .. number, last)
  redis.call('HSET', speaker, 'embedding:' .. number .. ':' .. model, embedding)
  if audio ~= '' then redis.call('SET', '{AUDIO}' .. number, audio) end
end
announce('speaker', id)
return redis.call('HGETALL', speaker)
"""

ADD_EMBEDDINGS = f"""{ANNOUNCE}
local speaker, id, model = KEYS[1], ARGV[1], ARGV[2]
for i = 3, #ARGV, 2 do
  if redis.call('HEXISTS', speaker, 'utterance:' .. ARGV[i]) == 0 then return 0 end
end
for i = 3, #ARGV, 2 do
  redis.call('HSET', speaker, 'embedding:' .. ARGV[i] .. ':' .. model, ARGV[i + 1])
end
-- Under a model that will take over, all voices are read when it does.
if redis.call('GET', '{ACTIVE_MODEL}') == model then announce('speaker', id) end
return 1
"""

# Returns 0 if the header has changed since it was read.
CHANGE = f"""{ANNOUNCE}{_JOIN}
local speaker, id, before, header, collections = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if redis.call('HGET', speaker, 'speaker') ~= before then return 0 end
redis.call('HSET', speaker, 'speaker', header)
join(id, collections)
announce('speaker', id)
return 1
"""

_ERASURE = f"""
local function erase(erasure_id, requested_at, tenant, speaker_id, revision)
  local erasure = {{requested_at = requested_at, tenant = tenant, revision = revision}}
  erasure.speaker_id = speaker_id  -- nil: no job has anything of it
  redis.call('HSET', '{ERASURES}', erasure_id, cjson.encode(erasure))
end
"""

REMOVE_UTTERANCE = f"""{ANNOUNCE}{_ERASURE}
local speaker, id, number = KEYS[1], ARGV[1], ARGV[5]
local fields = redis.call('HKEYS', speaker)
local others, mine = 0, {{}}
for _, field in ipairs(fields) do
  local kind, of = string.match(field, '^(%a+):(%d+)')
  if of == number then
    table.insert(mine, field)
  elseif kind == 'utterance' then
    others = others + 1
  end
end
if #mine == 0 then return 'unknown' end
if others == 0 then return 'only' end
redis.call('HDEL', speaker, unpack(mine))
local retained = redis.call('DEL', '{AUDIO}' .. number) == 1
local revision = announce('speaker', id)
erase(ARGV[2], ARGV[3], ARGV[4], retained and id or nil, revision)
return redis.call('HGETALL', speaker)
"""

DELETE = f"""{ANNOUNCE}{_ERASURE}
local speaker, id = KEYS[1], ARGV[1]
local fields = redis.call('HKEYS', speaker)
if #fields == 0 then return 0 end
for _, field in ipairs(fields) do
  local number = string.match(field, '^utterance:(%d+)$')
  if number then redis.call('DEL', '{AUDIO}' .. number) end
end
redis.call('DEL', speaker)
redis.call('ZREM', '{SPEAKERS}', id)
redis.call('HDEL', '{COLLECTIONS}', id)
erase(ARGV[2], ARGV[3], ARGV[4], id, announce('speaker', id))
return 1
"""

JOBS_ARE_CLEAN = f"""
local erasure = redis.call('HGET', '{ERASURES}', ARGV[1])
if not erasure then return end
erasure = cjson.decode(erasure)
erasure.speaker_id = nil
redis.call('HSET', '{ERASURES}', ARGV[1], cjson.encode(erasure))
"""

# Drops what was announced before a revision. A trimmed entry stays in the bytes of the stream beside newer
# ones, and so in the files of Redis: the newer ones are stored anew.
FORGET_CHANGES = f"""
local oldest = redis.call('XRANGE', '{CHANGES}', '-', '(' .. ARGV[1], 'COUNT', 1)
if #oldest == 0 then return end  -- forgotten before: an erasure that waits must not fill the append-only file
local newer = redis.call('XRANGE', '{CHANGES}', ARGV[1], '+')
redis.call('DEL', '{CHANGES}')
for _, entry in ipairs(newer) do redis.call('XADD', '{CHANGES}', entry[1], unpack(entry[2])) end
"""

# For each speaker, the header, then the embeddings under one model. An erased speaker has nothing.
VOICES = """
local voices = {}
for i, speaker in ipairs(KEYS) do
  voices[i] = {redis.call('HGET', speaker, 'speaker')}
  local fields = redis.call('HGETALL', speaker)
  for j = 1, #fields, 2 do
    if string.match(fields[j], '^embedding:%d+:(.*)$') == ARGV[1] then
      table.insert(voices[i], fields[j + 1])
    end
  end
end
return voices
"""

# For each speaker, the largest bandwidth of a recording in Hz; 0: none is known.
WIDEST = """
local widest = {}
for i, speaker in ipairs(KEYS) do
  widest[i] = 0
  local fields = redis.call('HGETALL', speaker)
  for j = 1, #fields, 2 do
    if string.match(fields[j], '^utterance:') then
      local measures = cjson.decode(fields[j + 1]).measures  -- older records have none
      local hz = measures and cjson.decode(measures).bandwidth_hz
      if hz and hz > widest[i] then widest[i] = hz end
    end
  end
end
return widest
"""


def speaker_key(speaker_id: str) -> str:
    """The key of a speaker's hash."""
    return f"{PREFIX}speaker:{speaker_id}"


def packed(embedding: Embedding) -> bytes:
    """The bytes to store for an embedding."""
    optional = [math.nan if value is None else value for value in (embedding.cohesion, embedding.map_error)]
    return _HEADER.pack(time.time(), embedding.n_crops, *optional) + embedding.mean.astype("<f4").tobytes()


def unpacked(blob: bytes) -> tuple[float, Embedding]:
    """The time when it was made, and the embedding."""
    made, n_crops, *optional = _HEADER.unpack_from(blob)
    cohesion, map_error = (None if math.isnan(value) else value for value in optional)
    mean = np.frombuffer(blob, "<f4", offset=_HEADER.size).astype(np.float32)
    return made, Embedding(mean, n_crops, cohesion, map_error)


def models_of(fields: Iterable[bytes]) -> set[str]:
    """The models of a speaker's embeddings, from the names of its hash's fields."""
    return {field.decode().split(":", 2)[2] for field in fields if field.startswith(b"embedding:")}


def read_speaker(speaker_id: str, fields: Mapping[bytes, bytes]) -> Speaker:
    """A speaker from the fields of its hash."""
    header = json.loads(fields[b"speaker"])
    utterances: dict[int, dict[str, Any]] = {}
    numbers: dict[int, int] = {}
    embeddings: dict[int, list[tuple[float, str, Embedding]]] = {}
    for field, value in fields.items():
        kind, _, rest = field.decode().partition(":")
        number, _, model = rest.partition(":")
        if kind == "utterance":
            utterances[int(number)] = json.loads(value)
        elif kind == "recording":
            numbers[int(number)] = int(value)
        elif kind == "embedding":
            made, embedding = unpacked(value)
            embeddings.setdefault(int(number), []).append((made, model, embedding))
    return Speaker(
        speaker_id=speaker_id,
        name=header["name"],
        metadata=header["metadata"],
        created_at=datetime.fromisoformat(header["created_at"]),
        utterances=tuple(
            Utterance(
                utterance_id=number,
                number=numbers.get(number, position),
                speech_s=stored["speech_s"],
                snr_db=stored["snr_db"],
                retained=stored["retained"],
                created_at=datetime.fromisoformat(stored["created_at"]),
                embeddings={
                    model: embedding for _, model, embedding in sorted(embeddings[number], key=itemgetter(0))
                },
                measures=Measures.from_json(stored.get("measures", "{}")),  # older records have none
            )
            for position, (number, stored) in enumerate(sorted(utterances.items()), start=1)
        ),
        collections=tuple(header.get("collections", ())),  # older records have none
        consent=Consent.from_json(header.get("consent")),
    )
