"""The database: tables, the ledger and the readings of it. SQLite by default, PostgreSQL by URL.

Only the engine writes through this package; publisher, control room and checks read.
"""
