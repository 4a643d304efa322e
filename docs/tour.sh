#!/usr/bin/env bash
# The tour of docs/tour.md on real speech, against a running service: prints each command and its answer.
# Usage: TWOFOLD_DATA=../shared/data docs/tour.sh [URL]
set -euo pipefail
url="${1:-http://127.0.0.1:8000}"
here="$(cd "$(dirname "$0")" && pwd)"
cd "${TWOFOLD_DATA:?set it to the folder that holds librispeech/}/librispeech/audio"

show() {
  printf '\n$ %s\n' "$*"
  "$@" | python3 "$here/short.py"
}

show curl -s -F audio=@3080/3080-5032-0000.opus "$url/embed"
# Two voices from 10 s each.
show curl -s -F audio=@3080/3080-5032-0002.opus -F speaker_id=ann -F name=Ann "$url/speakers"
show curl -s -F audio=@3005/3005-163389-0006.opus -F speaker_id=bob -F name=Bob "$url/speakers"
# Ann in another recording; a voice that nobody enrolled.
show curl -s -F audio=@3080/3080-5032-0004.opus "$url/identify"
show curl -s -F audio=@1998/1998-15444-0001.opus "$url/identify"
show curl -s -F audio=@3080/3080-5032-0004.opus -F speaker_id=bob "$url/verify"
show curl -s -X DELETE -w 'HTTP %{http_code}' "$url/speakers/ann"
show curl -s -X DELETE -w 'HTTP %{http_code}' "$url/speakers/bob"
show curl -s -F audio=@3080/3080-5032-0004.opus "$url/identify"
