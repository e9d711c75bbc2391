"""What the room knows of a night, folded from the ledger, and the snapshot made of it. Reads no clock."""
