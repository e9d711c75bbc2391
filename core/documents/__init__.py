"""Documents people keep: one model of blocks, written as DOCX and as PDF with the same words."""
