"""Fuzz targets, one module for each interface that outsiders reach: `make fuzz`, and briefly in `make test`.

A finding prints its seed as a `@reproduce_failure` line, is stored in `.hypothesis/`, and is tried first next
time. It becomes an `@example` of its target, or a seed in `seeds.py`, in the commit that fixes it.
"""
