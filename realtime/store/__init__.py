"""The live state in MongoDB. No other package accesses MongoDB."""
