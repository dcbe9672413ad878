"""One file a page: a function that asks the warehouse and renders a template."""
