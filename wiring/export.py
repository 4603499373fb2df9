"""`python -m wiring.export FOLDER`: does what `flask feeds export` does, without importing Flask.

It is for builds at every push, in which half a second of imports would be most of the time.
"""

from __future__ import annotations

from ops.collector import paused_collector

with paused_collector():
    import os
    import sqlite3
    import sys
    from pathlib import Path

    from articles.errors import ArticlesError
    from feeds.errors import FeedsError
    from feeds.export import check_target
    from ops.errors import SettingError
    from storage.derived import file_error
    from text.printable import print_line, print_uncaught
    from wiring.loading import exit_with, load_or_exit
    from wiring.site import build
    from wiring.static_feeds import export_feeds


def main(arguments: list[str]) -> int:
    """Write every feed into the folder that is the only one of `arguments`; return the exit status."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print_line("usage: python -m wiring.export FOLDER", stream=sys.stderr)
        return 2
    try:
        newswire = build(load_or_exit(os.environ), environ=os.environ)
        check_target(Path(arguments[0]), newswire.indexer.folder.root)
        newswire.refresh()
        written, unchanged, removed = export_feeds(newswire, Path(arguments[0]))
    except SettingError as error:
        raise exit_with(error) from None
    except (ArticlesError, FeedsError) as error:
        print_line(str(error), stream=sys.stderr)
        return 1
    except sqlite3.Error as error:
        print_line(file_error(error), stream=sys.stderr)
        return 1
    for problem in newswire.catalog.problems():
        print_line(f"left out {problem}", stream=sys.stderr)
    print_line(f"{written} written, {unchanged} unchanged, {removed} removed")
    return 0


if __name__ == "__main__":
    sys.excepthook = print_uncaught
    sys.exit(main(sys.argv[1:]))
