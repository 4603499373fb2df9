"""YAML from outside, read within limits."""
