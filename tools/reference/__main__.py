"""python -m tools.reference     writes docs/errors.md, docs/command.md, and sections and pictures of words."""

from tools.reference.command import command
from tools.reference.errors import errors
from tools.reference.pages import DOCS, PICTURES, pages
from tools.reference.pictures import pictures


def main() -> None:
    """Write all pages and pictures; pictures of words that are no more are deleted."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    (DOCS / "errors.md").write_text(errors(), encoding="utf-8")
    (DOCS / "command.md").write_text(command(), encoding="utf-8")
    PICTURES.mkdir(parents=True, exist_ok=True)
    made = pictures()
    for path in PICTURES.glob("*.svg"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (PICTURES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
