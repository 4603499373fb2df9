"""From articles to chat: what is posted, where and when, and with which result."""
