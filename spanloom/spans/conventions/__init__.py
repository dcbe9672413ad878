"""What the attributes of a span mean: one small module a convention, and the registry that merges them.

To add a convention, copy one of the modules, name its keys and their ranks, and add it to
`registry.CONVENTIONS`.
"""
