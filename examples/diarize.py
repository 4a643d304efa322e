"""Enrols the two readers of a conversation, then asks who speaks when in it.

Usage, with a service running (`make serve`): python examples/diarize.py [URL]
"""

from __future__ import annotations

import sys
from pathlib import Path

from service.client import Client, ClientError

HERE = Path(__file__).parent
ENROL = {
    "example-1998": "audio/1998/1998-15444-0002.opus",
    "example-3005": "audio/3005/3005-163389-0003.opus",
}
CONVERSATION = HERE / "conversations" / "1998-3005.opus"


def main(url: str) -> None:
    with Client(url) as client:
        enrolled: list[str] = []
        try:
            for speaker_id, recording in ENROL.items():
                client.enrol(speaker_id, HERE / recording)
                enrolled.append(speaker_id)
            for segment in client.diarize(CONVERSATION).segments:
                print(f"{segment.start_s:6.2f} to {segment.end_s:6.2f} s: {segment.label}")
        finally:
            for speaker_id in enrolled:
                client.delete(speaker_id)


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
    except ClientError as error:
        sys.exit(str(error))
