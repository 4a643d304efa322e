#!/usr/bin/env bash
# The fine-tuning tour of docs/tour.md on real speech, against a running service with a worker (`make serve` after
# `make test`, or `python -m service serve --worker`): prints each command and its answer.
# Usage: TWOFOLD_DATA=../shared/data docs/finetune-tour.sh [URL]
set -euo pipefail
url="${1:-http://127.0.0.1:8000}"
here="$(cd "$(dirname "$0")" && pwd)"
cd "${TWOFOLD_DATA:?set it to the folder that holds librispeech/}/librispeech/audio"

show() {
  printf '\n$ %s\n' "$*"
  "$@" | python3 "$here/short.py"
}
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

# Ann keeps her recording, Bob does not.
show curl -s -F audio=@3080/3080-5032-0002.opus -F speaker_id=ann -F retain_audio=true "$url/speakers"
show curl -s -F audio=@3005/3005-163389-0006.opus -F speaker_id=bob "$url/speakers"

# Ten files that nobody labelled.
files=()
for i in 0 1 3 5 6; do
  files+=(-F "audio=@3080/3080-5032-000$i.opus" -F "audio=@3005/3005-163389-000$i.opus")
done
printf '\n$ curl -s -F audio=@… (ten files) -F activate=never %s/finetune\n' "$url"
job="$(curl -s "${files[@]}" -F activate=never "$url/finetune")"
printf '%s' "$job" | python3 "$here/short.py"
id="$(printf '%s' "$job" | field job_id)"

printf '\n$ curl -sN %s/finetune/%s/events | tail -n 3\n' "$url" "$id"
curl -sN "$url/finetune/$id/events" | tail -n 3 | cut -c 1-160
show curl -s "$url/finetune/$id"
version="$(curl -s "$url/finetune/$id" | field version)"

show curl -s -X POST "$url/models/$version/activate"
show curl -s -F audio=@3080/3080-5032-0004.opus "$url/identify"
show curl -s -X POST "$url/models/1.1.0/activate"
show curl -s -X DELETE -w 'HTTP %{http_code}' "$url/speakers/ann"
show curl -s -X DELETE -w 'HTTP %{http_code}' "$url/speakers/bob"
