"""The measurements, one module each. Import after Django is set up.

Each module has `measure(stage, wanted)`, which returns the measured values by the key of the row.
"""
