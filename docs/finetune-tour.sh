#!/usr/bin/env bash
# The fine-tuning tour of docs/tour.md on the recordings of examples/: prints each command and its answer.
# It needs a running service with a worker: `make serve` after `make test`, or `python -m service serve --worker`.
# Usage: docs/finetune-tour.sh [URL]
set -euo pipefail
url="${1:-http://127.0.0.1:8000}"
curl -sf "$url/readyz" > /dev/null || { echo "No service is ready at $url: start one with 'make serve'." >&2; exit 1; }
here="$(cd "$(dirname "$0")" && pwd)"
cd "$here/../examples/audio"

show() {
  printf '\n$ %s\n' "$*"
  "$@" | python3 "$here/short.py"
}
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

# Bea keeps her recording, Dan does not.
show curl -s -F audio=@1998/1998-15444-0002.opus -F speaker_id=bea -F retain_audio=true "$url/speakers"
show curl -s -F audio=@3005/3005-163389-0003.opus -F speaker_id=dan "$url/speakers"

# Eighteen files that nobody labelled.
files=()
for file in */*.opus; do files+=(-F "audio=@$file"); done
printf '\n$ curl -s -F audio=@… (eighteen files) -F activate=never %s/finetune\n' "$url"
job="$(curl -s "${files[@]}" -F activate=never "$url/finetune")"
printf '%s' "$job" | python3 "$here/short.py"
id="$(printf '%s' "$job" | field job_id)"

printf '\n$ curl -sN %s/finetune/%s/events | tail -n 3\n' "$url" "$id"
curl -sN "$url/finetune/$id/events" | tail -n 3 | cut -c 1-160
show curl -s "$url/finetune/$id"
version="$(curl -s "$url/finetune/$id" | field version)"

show curl -s -X POST "$url/models/$version/activate"
show curl -s -F audio=@1998/1998-15444-0005.opus "$url/identify"
show curl -s -X POST "$url/models/1.1.0/activate"
show curl -s -X DELETE -w 'HTTP:%{http_code}' "$url/speakers/bea"
show curl -s -X DELETE -w 'HTTP:%{http_code}' "$url/speakers/dan"
