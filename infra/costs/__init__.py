"""Unit costs: what one frame, connection, publish, write and booking uses of whom."""
