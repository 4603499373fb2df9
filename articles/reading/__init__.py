"""One file's text → an Article; reading many files in processes."""
