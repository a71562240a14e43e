"""The content of the pages as pure values. Imports neither Django nor a store."""
