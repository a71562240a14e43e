"""What every HTTP endpoint shares: problem documents and schema types."""
