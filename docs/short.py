"""Shortens a JSON answer on standard input to what fits a page; prints anything else as it is.

Numbers get four decimals, long lists of numbers their first three, and what fits a line is printed in a line.
"""

import json
import sys

WIDTH = 100


def short(value: object) -> object:
    if isinstance(value, list) and len(value) > 3 and isinstance(value[0], float):
        return [*(round(number, 4) for number in value[:3]), f"… {len(value)} in all"]
    if isinstance(value, list):
        return [short(item) for item in value]
    if isinstance(value, dict):
        return {key: short(item) for key, item in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def laid_out(value: object, indent: str = "", *, whole: bool = False) -> str:
    """JSON with each object and list that fits a line in one line; with `whole`, all but the outermost."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or (len(indent + line) <= WIDTH and not whole):
        return line
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {laid_out(item, indent + ' ')}" for key, item in value.items()]
    else:
        parts = [laid_out(item, indent + " ") for item in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n" + ",\n".join(f"{indent} {part}" for part in parts) + f"\n{indent}{closing}"


text = sys.stdin.read()
try:
    print(laid_out(short(json.loads(text)), whole=True))
except ValueError:
    print(text)
