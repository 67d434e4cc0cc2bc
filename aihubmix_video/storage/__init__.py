"""Local files: reading references, writing part files, renaming a finished video into place."""
