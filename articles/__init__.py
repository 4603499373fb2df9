"""The ground floor: article files in, an indexed catalog of articles out."""
