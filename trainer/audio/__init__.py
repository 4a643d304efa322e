"""Sound: folders of recordings, the cache of their samples, degradations, and front-ends as modules."""
