"""The tests: architecture rules, one folder a context, whole stories, benches, and the services they run on."""
