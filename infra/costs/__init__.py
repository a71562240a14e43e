"""Unit costs: CPU and memory of one frame, connection, publish, write and booking."""
