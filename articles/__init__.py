"""Article files in, an indexed catalog of articles out."""
