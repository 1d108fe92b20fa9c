"""`python -m docgen` writes every generated document."""

from docgen.documents import DOCUMENTS

for path, generate in DOCUMENTS.items():
    path.write_text(generate())
