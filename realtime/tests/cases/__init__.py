"""The numbered hard cases that need the live state, one file for each area."""
