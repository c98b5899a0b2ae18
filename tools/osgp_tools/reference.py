"""The reference pages, which are docs/ in the repository: tables, procedures, events.

They are printed from the definitions that the device serves (`make docs`).
"""

from pathlib import Path

from osgp_tools import event_docs, model_docs, procedure_docs
from tables import definitions


def pages() -> dict[str, str]:
    """The text of each page by its path under docs/."""
    texts = {f"tables/{name}": text for name, text in model_docs.pages(definitions.TABLES).items()}
    texts["procedures.md"] = procedure_docs.page(definitions.PROCEDURES)
    texts["events.md"] = event_docs.page()
    return texts


def write(folder: Path) -> dict[str, str]:
    """Writes the pages into a folder, which is made. Returns them."""
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    texts = pages()
    for name, text in texts.items():
        (folder / name).write_text(text)
    return texts
