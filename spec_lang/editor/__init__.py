"""What an editor asks of a text: pure functions over a document and an offset in it, which know of no protocol."""
