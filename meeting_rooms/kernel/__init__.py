"""Types that all apps share: errors, clock, intervals, actors. Imports no app and no framework."""
