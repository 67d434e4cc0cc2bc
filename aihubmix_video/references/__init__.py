"""Reference media and addresses, judged without I/O: what an image is, which URL may be fetched, which address is public."""
