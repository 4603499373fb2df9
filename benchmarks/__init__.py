"""Measurements side by side with other programs: `make bench`. Not part of the product, nor of its tests."""
