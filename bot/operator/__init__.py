"""What an operator asks and orders: commands, reports, orders, metrics."""
