"""From a snapshot to the files of a cut: results CSV, XLSX, JSON by level, ZIPs, manifest."""
