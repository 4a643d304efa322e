"""Embeds three recordings and compares them: two of one reader, one of another.

Usage, with a service running (`make serve`): python examples/embed.py [URL]
"""

from __future__ import annotations

import sys
from pathlib import Path

import httpx

AUDIO = Path(__file__).parent / "audio"
RECORDINGS = ("1998/1998-15444-0002.opus", "1998/1998-15444-0005.opus", "3005/3005-163389-0003.opus")


def main(url: str) -> None:
    files = [("audio", (name, (AUDIO / name).read_bytes())) for name in RECORDINGS]
    answer = httpx.post(f"{url}/embed", files=files, timeout=60)
    if answer.is_error:
        sys.exit(answer.json()["detail"])
    results = answer.json()["results"]
    for result in results:
        numbers = len(result["embedding"])
        print(f"{result['filename']}: {result['speech_s']:.1f} s of speech, {numbers} numbers")

    # Embeddings have length 1, so their dot product is the cosine of the angle between them.
    first, same, other = (result["embedding"] for result in results)
    print(f"the same reader:  {sum(a * b for a, b in zip(first, same, strict=True)):.2f}")
    print(f"another reader:   {sum(a * b for a, b in zip(first, other, strict=True)):.2f}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
