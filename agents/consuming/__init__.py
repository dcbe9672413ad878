"""All that keeps Faust honest: delivery in order, changelogs, draining, and looking into the log."""
