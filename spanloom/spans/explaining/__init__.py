"""Why the numbers are what they are: span by span and trace by trace, told by the functions that make them."""
