"""Enrols two readers, then asks who speaks in other recordings: the two, and somebody whom nobody enrolled.

Usage, with a service running (`make serve`): python examples/identify.py [URL]
"""

from __future__ import annotations

import sys
from pathlib import Path

from service.client import Client, ClientError

AUDIO = Path(__file__).parent / "audio"
ENROL = {
    "example-1998": "1998/1998-15444-0002.opus",
    "example-3005": "3005/3005-163389-0003.opus",
}
PROBES = ("1998/1998-15444-0005.opus", "3005/3005-163389-0006.opus", "533/533-1066-0002.opus")


def main(url: str) -> None:
    with Client(url) as client:
        enrolled: list[str] = []
        try:
            for speaker_id, recording in ENROL.items():
                answer = client.enrol(speaker_id, AUDIO / recording)
                enrolled.append(speaker_id)
                print(f"{speaker_id} enrolled from {answer.speech_s:.1f} s of speech")
            for recording in PROBES:
                match = client.identify(AUDIO / recording).match
                name = f"{match.speaker_id}, score {match.score:.2f}" if match else "nobody enrolled"
                print(f"{recording}: {name}")
        finally:
            for speaker_id in enrolled:
                client.delete(speaker_id)


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
    except ClientError as error:
        sys.exit(str(error))
