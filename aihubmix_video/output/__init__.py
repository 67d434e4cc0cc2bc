"""Names of output files: templates, slugs, and what file systems take for one name."""
