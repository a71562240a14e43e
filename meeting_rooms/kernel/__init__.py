"""Shared vocabulary of all apps: errors, clock, intervals and ids. Imports no app and no framework."""
