"""The schema's steps, run by Alembic through `gateway.store.migrate`."""
