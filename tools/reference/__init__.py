"""The pages of docs/ that are made from the words, the codes of errors and the command, and the pictures on them."""
