"""A first look: a made-up business in the real streets of central Helsinki."""
