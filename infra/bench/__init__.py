"""The benchmark: it compares the product with its peers, each in its own process.

The benchmark starts and stops every server itself. See README.md in this folder.
"""
