"""Posts articles to chat: decides what is posted, where and when, sends it, and records the results."""
