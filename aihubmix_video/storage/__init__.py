"""Local files, whatever is in them: `disk` runs `filesystem` calls on threads, `part_file` is an unfinished download.

`reference_files` reads the pictures and videos that a request refers to.
"""
