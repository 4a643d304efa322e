#!/usr/bin/env bash
# The README's tour on real speech, against a running service: prints each command and its answer.
# Usage: TWOFOLD_DATA=../shared/data docs/tour.sh [URL]
set -euo pipefail
url="${1:-http://127.0.0.1:8000}"
cd "${TWOFOLD_DATA:?set it to the folder that holds librispeech/}/librispeech/audio"

# Answers are shortened to what fits a page: long lists to their first three numbers.
show() {
  printf '\n$ %s\n' "$*"
  "$@" | python3 -c '
import json, sys
def short(x):
    if isinstance(x, list) and len(x) > 3 and not isinstance(x[0], (dict, list)):
        return [*(round(v, 4) for v in x[:3]), f"… {len(x)} in all"]
    if isinstance(x, float):
        return round(x, 4)
    if isinstance(x, list):
        return [short(v) for v in x]
    return {k: short(v) for k, v in x.items()} if isinstance(x, dict) else x
text = sys.stdin.read()
try:
    print(json.dumps(short(json.loads(text)), indent=1, ensure_ascii=False))
except ValueError:
    print(text)
'
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
