"""The configuration → the parts of a process: the site's, the bot's, the export's."""
