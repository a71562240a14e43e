"""Benchmarks against real processes and stores, started by themselves."""
