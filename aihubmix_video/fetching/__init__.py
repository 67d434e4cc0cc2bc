"""From a finished video to one whole file at its path.

`download` brings it there, `streaming` asks for its bytes. What is decided on the way is pure: whether a partial file may be
continued (`continuation`), where a request may be sent on to (`redirects`), whether the file is a whole video (`mp4`), and what a
failure means for its job (`delivery`). `content` holds what may come of one request; `body` and `patience` say when a body is given up.
"""
