"""The durable queue: tables, migrations, states, lease and statements."""
