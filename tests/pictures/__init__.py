"""Tests of pictures on other hosts."""
