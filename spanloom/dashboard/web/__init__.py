"""What every page needs: templates, static files, headers, and an answer for what goes wrong."""
