"""Shared vocabulary of all apps: errors, clock, intervals, actors. Imports no app, no framework."""
