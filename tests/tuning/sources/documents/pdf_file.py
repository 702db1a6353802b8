"""Writes small PDF files: pages of lines, each with its size and height."""

from collections.abc import Sequence
from pathlib import Path

Line = tuple[str, int, int]
"""Words, size in points, height from the bottom of the page."""


def write_pdf(path: Path, pages: Sequence[Sequence[Line]], *, title: str = "") -> Path:
    """Write pages of lines; a page without lines holds nothing, as a scanned one does."""
    objects: list[bytes] = []
    first = 4
    kids = " ".join(f"{first + 2 * at} 0 R" for at in range(len(pages)))
    objects.append(b"<< /Type /Catalog /Pages 2 0 R >>")
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode())
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for at, lines in enumerate(pages):
        said = "\n".join(
            f"BT /F1 {size} Tf 72 {height} Td ({text}) Tj ET" for text, size, height in lines
        ).encode("latin-1")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R"
            f" >> >> /Contents {first + 2 * at + 1} 0 R >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(said), said))
    objects.append(f"<< /Title ({title}) >>".encode())
    content, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(content)
    content += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    content += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1,
        len(objects),
        start,
    )
    path.write_bytes(content)
    return path
