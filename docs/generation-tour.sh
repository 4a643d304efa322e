#!/usr/bin/env bash
# A clip of every label from a running service: prints each command and its answer.
# Usage: docs/generation-tour.sh [URL] [FOLDER for the WAVs]
set -euo pipefail
url="${1:-http://127.0.0.1:8000}"
curl -sf "$url/readyz" > /dev/null || { echo "No service is ready at $url: start one with 'make serve'." >&2; exit 1; }
mkdir -p "${2:-generated}"
cd "${2:-generated}"

show() {
  local word
  printf '\n$'
  for word in "$@"; do
    if [[ $word =~ ^[[:alnum:]_./:=@-]+$ ]]; then printf ' %s' "$word"; else printf ' %s' "${word@Q}"; fi
  done
  echo
  "$@"
}

show curl -s "$url/generate/labels"
echo
curl -s "$url/generate/labels" | python3 -c 'import json, sys; print(*json.load(sys.stdin)["labels"], sep="\n")' |
  while read -r label; do
    show curl -s -F "label=$label" -F seed=1 -o "$label.wav" -w '%{http_code} %{content_type}, %{size_download} bytes\n' "$url/generate"
  done
