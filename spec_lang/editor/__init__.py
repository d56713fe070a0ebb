"""Editor features: pure functions of a document and an offset, independent of any protocol."""
