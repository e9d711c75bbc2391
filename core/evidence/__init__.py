"""Evidence for a third party with public faith: the acta de ceros, the acta de hashes, the acta de cierre."""
