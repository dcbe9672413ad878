"""The three stages, the loop that takes a batch, and the checkpoint that ends it."""
