"""The knowledge base: documents, passages, search and approved answers in one SQLite file."""
