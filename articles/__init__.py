"""Reads article files, and indexes the articles in a catalog."""
