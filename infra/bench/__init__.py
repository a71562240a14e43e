"""The benchmark: the product and its peers side by side, each in a process of its own.

It starts and ends every server itself. See README.md in this folder.
"""
