"""From a finished video to one whole file at its path.

`download` brings it there. What is decided on the way is pure: whether a partial file may be resumed (`resume`), whether the
file is a whole video (`mp4_check`), and what a failure means for its job (`download_errors`). `attempt_result` holds what may
come of one request; `write_buffer` and `stall_timeout` say when a body is given up.
"""
