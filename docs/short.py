"""Shortens a JSON answer on standard input to what fits a page; prints anything else as it is."""

import json
import sys


def short(value: object) -> object:
    if isinstance(value, list) and len(value) > 3 and isinstance(value[0], float):
        return [*(round(number, 4) for number in value[:3]), f"… {len(value)} in all"]
    if isinstance(value, list):
        return [short(item) for item in value]
    if isinstance(value, dict):
        return {key: short(item) for key, item in value.items()}
    return round(value, 4) if isinstance(value, float) else value


text = sys.stdin.read()
try:
    print(json.dumps(short(json.loads(text)), indent=1, ensure_ascii=False))
except ValueError:
    print(text)
