"""Everything that makes consuming with Faust lossless: offset tracking, changelogs, draining, reading the log
itself."""
