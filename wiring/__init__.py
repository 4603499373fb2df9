"""Assembles the parts of a process from the configuration: the site's, the bot's, the export's."""
