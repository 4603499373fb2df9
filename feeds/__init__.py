"""Builds feeds from articles, renders them as documents, and serves them over HTTP."""
