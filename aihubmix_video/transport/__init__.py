"""Requests over HTTP, one per call: `client` sends them, `direct` the status requests, which are most of all.

`gate` keeps the shared rate at the last moment before the first byte leaves, and `overdue` the time that each may take.
"""
