"""Sends posts: dispatcher, lanes, pace, transport."""
