"""Pictures on other hosts: which of them pages show, and this site's own small copies of them.

`PictureError` is the root of what goes wrong with one of them.
"""
