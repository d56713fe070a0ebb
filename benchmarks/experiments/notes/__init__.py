"""The experiments of the from-scratch notes by one sweep: results, pictures, and answers to the notes' claims."""
