"""The same night without engine or database, for thousands of them; and the bare queueing kernel."""
