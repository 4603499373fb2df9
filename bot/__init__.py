"""From articles to chat: what is posted where, when, and what became of it."""
