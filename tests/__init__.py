"""The tests: architecture rules, one folder per context, scenarios, benches, and the services they run on."""
