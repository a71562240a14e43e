"""Servers that the benchmark runs beside the product, each in its own process."""
