"""Requests over HTTP, one per call: `client` sends them, `status_request` the status requests, which are most of all.

`content_request` asks for a video's bytes, and `redirects` says where such a request may be sent on to. `rate_gate` keeps the
shared rate at the last moment before the first byte leaves, and `shared_timeouts` the time that each may take.
"""
