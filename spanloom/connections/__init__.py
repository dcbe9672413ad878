"""The connections of a server: how many there may be, how long each may wait, and what the log says of them."""
