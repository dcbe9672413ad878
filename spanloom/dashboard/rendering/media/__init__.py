"""Pictures, sound, films and files that came with messages: what is known of them, and how a page shows them."""
