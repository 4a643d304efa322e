#!/usr/bin/env bash
# The fine-tuning tour of docs/tour.md on the recordings of examples/: prints each command and its answer.
# It needs a running service with a worker: `make serve` after `make test`, or `python -m service serve --worker`.
# Usage: docs/finetune-tour.sh [URL] [SECONDS to wait for a worker]
set -euo pipefail
url="${1:-http://127.0.0.1:8000}"
patience="${2:-60}"
curl -sf "$url/readyz" > /dev/null || { echo "No service is ready at $url: start one with 'make serve'." >&2; exit 1; }
here="$(cd "$(dirname "$0")" && pwd)"
cd "$here/../examples/audio"

show() {
  printf '\n$ %s\n' "$*"
  "$@" | python3 "$here/short.py"
}
field() { python3 -c 'import json, sys; print(json.load(sys.stdin).get(sys.argv[1]) or "")' "$1"; }
fail() { echo "$1" >&2; exit 1; }

# Without recordings, a service that can fine-tune answers 400. One that cannot answers 503 and says why.
probe="$(curl -s -X POST -w '\n%{http_code}' "$url/finetune")"
if [[ "${probe##*$'\n'}" == 503 ]]; then fail "$(printf '%s' "${probe%$'\n'*}" | field detail)"; fi

before="$(curl -s "$url/models" | field active)"
id="" version=""
leave() {  # however the tour ends: no job goes on, the model before serves, nobody stays enrolled
  if [[ -n "$id" ]]; then
    curl -s -o /dev/null -X DELETE "$url/finetune/$id"
    version="$(curl -s "$url/finetune/$id" | field version)"  # where it was over already
  fi
  if [[ "$(curl -s "$url/models" | field active)" != "$before" ]]; then
    curl -s -o /dev/null -X POST "$url/models/$before/activate"
  fi
  if [[ -n "$version" ]]; then curl -s -o /dev/null -X DELETE "$url/models/$version"; fi
  for speaker in tour-bea tour-dan; do curl -s -o /dev/null -X DELETE "$url/speakers/$speaker"; done
}
trap leave EXIT

# Eighteen files that nobody labelled. They come first: without a worker the tour ends here.
files=()
for file in */*.opus; do files+=(-F "audio=@$file"); done
printf '\n$ curl -s -F audio=@… (eighteen files) -F activate=never %s/finetune\n' "$url"
job="$(curl -s "${files[@]}" -F activate=never "$url/finetune")"
printf '%s' "$job" | python3 "$here/short.py"
id="$(printf '%s' "$job" | field job_id)"
if [[ -z "$id" ]]; then fail "The job was not taken."; fi

waited=0
until [[ "$(curl -s "$url/finetune/$id" | field state)" != queued ]]; do
  if ((waited++ >= patience)); then
    fail "No worker took the job in $patience s. Start one with 'python -m service worker'; 'make serve' has one."
  fi
  sleep 1
done

printf '\n$ curl -sN %s/finetune/%s/events\n' "$url" "$id"
curl -sN "$url/finetune/$id/events" | while read -r line; do
  if [[ "$line" == data:* ]]; then printf '%s…\n' "${line:0:120}"; fi
done
show curl -s "$url/finetune/$id"
version="$(curl -s "$url/finetune/$id" | field version)"
if [[ -z "$version" ]]; then fail "The job made no version: see its answer above."; fi
picture="$(curl -s -o /dev/null -w '%{content_type}, %{size_download} bytes' "$url/finetune/$id/report.png")"
printf '\n$ curl -s -o report.png %s/finetune/%s/report.png\n%s\n' "$url" "$id" "$picture"
id=""

# Bea keeps her recording, Dan does not.
show curl -s -F audio=@1998/1998-15444-0002.opus -F speaker_id=tour-bea -F retain_audio=true "$url/speakers"
show curl -s -F audio=@3005/3005-163389-0003.opus -F speaker_id=tour-dan "$url/speakers"
show curl -s -X POST "$url/models/$version/activate"
show curl -s -F audio=@1998/1998-15444-0005.opus "$url/identify"
show curl -s -X POST "$url/models/$before/activate"
show curl -s -X DELETE -w 'HTTP:%{http_code}' "$url/speakers/tour-bea"
show curl -s -X DELETE -w 'HTTP:%{http_code}' "$url/speakers/tour-dan"
show curl -s -X DELETE -w 'HTTP:%{http_code}' "$url/models/$version"
version=""
