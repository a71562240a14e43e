"""Servers that the benchmark runs beside the product, each in a process of its own."""
