"""What the attributes of a span mean: one small module a convention, and the registry that merges them.

To add a convention, copy one of the modules of `catalogue`, name its keys, add it to `registry.CONVENTIONS`, and give
each key its place in `precedence`.
"""
