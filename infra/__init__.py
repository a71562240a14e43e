"""What runs around the product: benchmarks."""
