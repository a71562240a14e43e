"""The live state in MongoDB. The only package that speaks to MongoDB."""
