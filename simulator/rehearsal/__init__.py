"""The report of a rehearsal: facts, verdict, one document, three formats."""
