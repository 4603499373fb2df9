"""The operator's pages, protected by a token. Loaded only with ADMIN_TOKEN, because they load the bot."""
