"""Programs for those who work on Newswire; no part of what runs."""
