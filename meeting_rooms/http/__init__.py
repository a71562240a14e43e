"""Problem documents and schema types that all HTTP endpoints share."""
