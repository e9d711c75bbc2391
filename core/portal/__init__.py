"""The public portal: static pages (`assets`), how they are written (`site`) and a server for them (`server`).

It reads what is public and nothing else: it knows no database and decides nothing.
"""
