"""Published figures, one file a page of docs/: each is made anew by one command."""
