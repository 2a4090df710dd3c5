"""The review panel: web pages on the published copy, and what people decide there."""
