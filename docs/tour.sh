#!/usr/bin/env bash
# The tour of docs/tour.md on the recordings of examples/: prints each command and its answer.
# It needs a running service (`make serve`).
# Usage: docs/tour.sh [URL]
set -euo pipefail
url="${1:-http://127.0.0.1:8000}"
curl -sf "$url/readyz" > /dev/null || { echo "No service is ready at $url: start one with 'make serve'." >&2; exit 1; }
here="$(cd "$(dirname "$0")" && pwd)"
cd "$here/../examples/audio"

show() {
  printf '\n$ %s\n' "$*"
  "$@" | python3 "$here/short.py"
}
erase() {  # however the tour ends, nobody stays enrolled
  for id in tour-bea tour-dan; do curl -s -o /dev/null -X DELETE "$url/speakers/$id"; done
}
trap erase EXIT

show curl -s -F audio=@1998/1998-15444-0005.opus "$url/embed"
# Two voices from about 10 s each.
show curl -s -F audio=@1998/1998-15444-0002.opus -F speaker_id=tour-bea -F name=Bea "$url/speakers"
show curl -s -F audio=@3005/3005-163389-0003.opus -F speaker_id=tour-dan -F name=Dan "$url/speakers"
# Bea in another recording; a voice that nobody enrolled.
show curl -s -F audio=@1998/1998-15444-0005.opus "$url/identify"
show curl -s -F audio=@533/533-1066-0002.opus "$url/identify"
show curl -s -F audio=@1998/1998-15444-0005.opus -F speaker_id=tour-dan "$url/verify"
show curl -s -X DELETE -w 'HTTP:%{http_code}' "$url/speakers/tour-bea"
show curl -s -X DELETE -w 'HTTP:%{http_code}' "$url/speakers/tour-dan"
show curl -s -F audio=@1998/1998-15444-0005.opus "$url/identify"
