"""What the ledger does not say: the hour, the plan, the forecast, what is public, the machine."""
