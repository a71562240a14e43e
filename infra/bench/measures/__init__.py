"""The measurements, a module each. Imported after Django is set up.

Each has `measure(stage, wanted)`, which returns what it has measured by the key of the row.
"""
