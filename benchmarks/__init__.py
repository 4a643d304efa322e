"""What we ship, measured beside its floors and peers: a folder or module for each page of docs/."""
