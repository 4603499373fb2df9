"""The bot's interface for operators: commands, reports, orders, metrics."""
