"""The database: tables, the one writer, and the queries. SQLite by default, PostgreSQL when it grows."""
