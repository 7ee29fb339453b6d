"""Workbooks, read as what they are: XML in a ZIP archive."""

import io
import zipfile
from xml.etree import ElementTree

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheet(content: bytes, number: int = 1) -> list[list[tuple[str, str]]]:
    """The cells of a workbook's sheet as (type, text): s is text, n a number, f would be a formula."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    tree = ElementTree.fromstring(archive.read(f"xl/worksheets/sheet{number}.xml"))
    rows = []
    for row in tree.iter(f"{SHEET}row"):
        cells = []
        for cell in row.iter(f"{SHEET}c"):
            formula, value = cell.find(f"{SHEET}f"), cell.find(f"{SHEET}v")
            text = "".join(part.text or "" for part in cell.iter(f"{SHEET}t")) if value is None else value.text or ""
            kind = "f" if formula is not None else {"inlineStr": "s", "b": "b"}.get(cell.get("t", "n"), "n")
            cells.append((kind, text))
        rows.append(cells)
    return rows
