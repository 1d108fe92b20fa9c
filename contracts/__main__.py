"""`python -m contracts` writes every generated document."""

from contracts.documents import DOCUMENTS

for path, generate in DOCUMENTS.items():
    path.write_text(generate())
