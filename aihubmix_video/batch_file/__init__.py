"""Rows of a batch file: JSON lines, CSV, or plain text with one prompt per line, read one row at a time.

Nothing is opened here: a reader takes the file's lines as bytes and gives, for each row, a `Row` or a `BadRow`. It raises
nothing, whatever the bytes are, and a bad row leaves the others as they are. Of the rows gone by it remembers only explicit
keys and file names, since no two may be the same.

All formats are UTF-8, with or without a byte order mark, with LF or CRLF line ends. Besides the fields of `VideoRequest`
(and ``duration``) a row may have ``key``, its own name for the job, and ``output``, its file's path under the output
folder. What a row leaves out, or gives as null or as an empty cell, is taken from the defaults.
"""

from __future__ import annotations

from aihubmix_video.batch_file.jsonl import LINE_BYTES, lines_of
from aihubmix_video.batch_file.readers import read_csv, read_jsonl, read_text
from aihubmix_video.batch_file.row import COLUMNS, BadRow, Row

__all__ = ["COLUMNS", "LINE_BYTES", "BadRow", "Row", "lines_of", "read_csv", "read_jsonl", "read_text"]
