"""`twofold`, and the same as `python -m service`."""

from service.cli import app


def main() -> None:
    """Runs the command line."""
    app(prog_name="twofold")


if __name__ == "__main__":
    main()
