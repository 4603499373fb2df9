"""The operator's pages, behind a token. Loaded only where ADMIN_TOKEN is set: they bring the bot along."""
