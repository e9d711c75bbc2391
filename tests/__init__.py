"""The test suite; it mirrors the packages. A package, so that no installed one of this name shadows it."""
