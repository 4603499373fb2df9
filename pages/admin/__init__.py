"""The operator's pages, protected by a token; loaded only with ADMIN_TOKEN, as they import the bot."""
