"""The policy pack of this project: rules about one resource's inputs."""
