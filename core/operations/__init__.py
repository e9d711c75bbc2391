"""Operating the system: checks that what is stored is what the ledger says."""
