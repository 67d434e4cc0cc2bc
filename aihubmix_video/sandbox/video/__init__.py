"""The videos that the sandbox delivers: real clips where PyAV is installed, filler of any size where not."""
