"""The outbox, which is the bot's durable queue: tables, migrations, states, lease and statements."""
