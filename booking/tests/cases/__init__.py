"""The hard cases of room booking as tests; `python -m booking.tests.cases` tells how they stand.

A test of case 7 is called `test_case_007__what_happens`, wherever in the project it lives.
"""
