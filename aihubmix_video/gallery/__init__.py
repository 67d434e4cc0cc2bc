"""What is written beside finished videos: a page with all of them, their posters, and a JSON file each."""
