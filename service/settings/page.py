"""The page docs/settings.md."""

from __future__ import annotations

from pydantic import SecretStr

from service.settings import Settings

_PAGE = (
    "# Settings",
    "",
    "Settings are environment variables, or lines of a `.env` file where the service starts.",
    "This page is what `python -m service settings` prints.",
    "",
    "The service does not read `TWOFOLD_DATA`. It names a folder of speech corpora ([data.md](data.md)) for",
    "`python -m trainer reproduce`, benchmarks and tests.",
    "",
)


def markdown_page() -> str:
    """The text of docs/settings.md: a table of variable, default, and meaning with unit."""
    rows = [*_PAGE, "| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.default
        if name == "models_dir":
            default = "models"  # of the checkout; never this machine's path
        if isinstance(default, SecretStr):
            default = default.get_secret_value()
        shown = f"`{default}`" if default not in ("", None) else "(empty)"
        rows.append(f"| `TWOFOLD_{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(rows)
