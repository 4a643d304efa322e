"""Audio: `folders` of recordings, their sample `cache`, random `acoustics`, and `frontends` as modules."""
