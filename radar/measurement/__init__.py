"""Whether the score is right: the measurement models, run again on a published copy with other inputs."""
