"""The hard cases of room booking as tests; `python -m booking.tests.cases` prints their results.

The name of a test of case 7 begins with `test_case_007__`, in every app.
"""
